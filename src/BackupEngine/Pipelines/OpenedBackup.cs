using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pipelines;

/// <summary>A backup that is being read, shared by all its readers: after a repack they go on with the new manifest.</summary>
internal sealed class OpenedBackup(IObjectStore store, RecordStore records, Backup backup, Manifest manifest, ReadOptions options)
{
    private volatile Version _current = new(backup, manifest);

    public IObjectStore Store => store;

    public ReadOptions Options => options;

    public VolumeGeometry Geometry { get; } = manifest.Geometry;

    /// <summary>Gets the record and the manifest as they were read last.</summary>
    public Version Current => _current;

    /// <summary>Finds out why an object of a version is missing.</summary>
    /// <returns>The version to read instead; null when the backup is still there as it was read: then the object is lost.</returns>
    /// <exception cref="BackupStateException">The backup was deleted.</exception>
    /// <exception cref="CorruptionException">The manifest of the version to read instead is damaged.</exception>
    public async ValueTask<Version?> RefreshAsync(Version seen, CancellationToken cancellationToken)
    {
        if (_current != seen)
            return _current;
        Backup read = seen.Backup;
        Backup? now = await records.FindRecordAsync(read.VolumeId, read.Id, cancellationToken).ConfigureAwait(false);
        if (now is null or { Status: BackupStatus.Deleting or BackupStatus.ErrorDeleting })
            throw new BackupStateException($"Backup {read.Id} was deleted while it was being read.");

        // A backup in error is only read when it was in error as it was opened.
        if ((now.Status != BackupStatus.Available && now.Status != read.Status) || now.ManifestKey == read.ManifestKey)
            return null;
        return _current = new Version(now, await store.ReadManifestAsync(records, now, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>A record and the manifest that it named.</summary>
    internal sealed record Version(Backup Backup, Manifest Manifest);
}
