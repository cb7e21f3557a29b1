using System.Security.Cryptography;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>Reads the manifests that records refer to.</summary>
internal static class ManifestStore
{
    /// <summary>Reads the manifest of a record that was read a while ago; when the backup has been repacked since then, that of the record as it is now.</summary>
    /// <exception cref="CorruptionException">It is missing, damaged, or another one.</exception>
    public static async Task<Manifest> ReadManifestAsync(this IObjectStore store, RecordStore records, Backup backup, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            Backup? now = await records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
            if (now is null or { Status: BackupStatus.Deleting or BackupStatus.ErrorDeleting })
                throw new BackupStateException($"Backup {backup.Id} was deleted while it was being read.");
            if (now.ManifestKey == backup.ManifestKey)
                throw;
            return await store.ReadManifestAsync(records, now, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads the manifest of a record, and checks that it is the one that the record was committed with.</summary>
    /// <exception cref="CorruptionException">It is missing, damaged, or another one.</exception>
    public static async Task<Manifest> ReadManifestAsync(this IObjectStore store, Backup backup, CancellationToken cancellationToken)
    {
        if (backup.ManifestKey is not { } key || !StoreKeys.TryParseManifest(key, out string volumeId, out Guid dataId))
            throw new CorruptionException(StoreKeys.Record(backup.VolumeId, backup.Id), null, $"the record names no manifest ({backup.ManifestKey})");

        byte[] bytes;
        try
        {
            bytes = await store.GetAllAsync(key, ManifestFormat.MaxManifestSize, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            throw new CorruptionException(key, null, "the manifest is missing", e);
        }

        if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != backup.ManifestSha256)
            throw new CorruptionException(key, null, "the manifest does not match the SHA-256 in the record");

        Manifest manifest = ManifestDecoder.Decode(key, bytes);
        return manifest.VolumeId == volumeId && manifest.BackupId == dataId && manifest.Geometry == new VolumeGeometry(backup.SizeBytes, backup.ChunkSize)
            ? manifest
            : throw new CorruptionException(key, null, "the manifest is that of another backup");
    }
}
