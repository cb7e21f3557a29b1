using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>A pack by its key.</summary>
/// <param name="BackupId">The id under which it was written.</param>
/// <param name="Sequence">Which of that backup's packs.</param>
internal readonly record struct StoredPack(Guid BackupId, uint Sequence)
{
    /// <exception cref="CorruptionException">No backup of the chain has that ordinal.</exception>
    public static StoredPack Of(Manifest manifest, PackId pack) => pack.BackupOrdinal < manifest.Backups.Count
        ? new StoredPack(manifest.Backups[(int)pack.BackupOrdinal], pack.Sequence)
        : throw new CorruptionException(manifest.Key, null, $"it refers to backup {pack.BackupOrdinal} of a chain of {manifest.Backups.Count}");
}

/// <summary>Manifests and packs under the prefix of one volume, with their sizes in bytes: those, at last, that nobody needs.</summary>
internal sealed class VolumeData
{
    public Dictionary<Guid, long> Manifests { get; } = [];

    public Dictionary<StoredPack, long> Packs { get; } = [];
}

/// <summary>All manifests and packs that were there at one moment, by volume. Memory grows with the number of packs, not of chunks.</summary>
internal sealed class StoredData
{
    public Dictionary<string, VolumeData> Volumes { get; } = [];

    public static async Task<StoredData> ListAsync(IObjectStore store, string? volumeId, CancellationToken cancellationToken)
    {
        var data = new StoredData();
        string prefix = volumeId is null ? StoreKeys.Volumes : $"{StoreKeys.Volumes}{volumeId}/";
        await foreach (ObjectInfo info in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            // What is neither is nobody's that we know, and is left alone.
            if (StoreKeys.TryParsePack(info.Key, out string volume, out Guid backupId, out uint sequence))
                data.Of(volume).Packs[new StoredPack(backupId, sequence)] = info.SizeBytes;
            else if (StoreKeys.TryParseManifest(info.Key, out volume, out backupId))
                data.Of(volume).Manifests[backupId] = info.SizeBytes;
        }

        return data;
    }

    private VolumeData Of(string volumeId)
    {
        if (!Volumes.TryGetValue(volumeId, out VolumeData? volume))
            Volumes[volumeId] = volume = new VolumeData();
        return volume;
    }
}
