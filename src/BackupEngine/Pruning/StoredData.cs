using BackupEngine.Catalog;
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

/// <summary>What a listing says of an object.</summary>
/// <param name="SizeBytes">Its size.</param>
/// <param name="StoredAt">When it was stored, by the store's clock.</param>
internal readonly record struct StoredObject(long SizeBytes, DateTimeOffset StoredAt)
{
    /// <summary>Gets a value that indicates whether the object is known to have been stored at a time or earlier; never in a store that does not tell times.</summary>
    public bool IsFrom(DateTimeOffset? limit) => BackupOrder.GetUsable(StoredAt) <= limit;
}

/// <summary>Manifests and packs under the prefix of one volume: in the end those that are removed.</summary>
internal sealed class VolumeData
{
    public Dictionary<Guid, StoredObject> Manifests { get; } = [];

    public Dictionary<StoredPack, StoredObject> Packs { get; } = [];

    /// <summary>Takes everything out: nothing of the volume is removed.</summary>
    public void Clear()
    {
        Manifests.Clear();
        Packs.Clear();
    }
}

/// <summary>All manifests and packs that were there at one moment, by volume. Memory grows with the number of packs, not of chunks.</summary>
internal sealed class StoredData
{
    public Dictionary<string, VolumeData> Volumes { get; } = [];

    /// <summary>Gets all manifests that were listed, whatever is taken out of <see cref="Volumes"/> later.</summary>
    public Dictionary<(string VolumeId, Guid Id), StoredObject> ListedManifests { get; } = [];

    /// <summary>Gets the volume and id of each manifest that was listed.</summary>
    public IEnumerable<(string VolumeId, Guid Id)> Manifests => ListedManifests.Keys;

    /// <summary>The newest time at which any of the objects was stored; the store's clock says at least this.</summary>
    public DateTimeOffset NewestAt { get; private set; }

    public static async Task<StoredData> ListAsync(IObjectStore store, string? volumeId, CancellationToken cancellationToken)
    {
        var data = new StoredData();
        string prefix = volumeId is null ? StoreKeys.Volumes : $"{StoreKeys.Volumes}{volumeId}/";
        await foreach (ObjectInfo info in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            data.NewestAt = info.LastModified > data.NewestAt ? info.LastModified : data.NewestAt;

            // What is neither is nobody's that we know, and is left alone.
            if (StoreKeys.TryParsePack(info.Key, out string volume, out Guid backupId, out uint sequence))
                data.Of(volume).Packs[new StoredPack(backupId, sequence)] = new StoredObject(info.SizeBytes, info.LastModified);
            else if (StoreKeys.TryParseManifest(info.Key, out volume, out backupId))
                data.ListedManifests[(volume, backupId)] = data.Of(volume).Manifests[backupId] = new StoredObject(info.SizeBytes, info.LastModified);
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
