using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pruning;

/// <summary>Specifies what is known of a manifest that no record and no intent names.</summary>
internal enum UnnamedState
{
    /// <summary>Nothing says that it may be removed: its record was lost, or the evidence of its deletion was.</summary>
    Orphaned,

    /// <summary>An available backup names another manifest of the same backup: a repack made one from the other, so both hold the same data.</summary>
    Superseded,

    /// <summary>The backup that it belongs to is being deleted.</summary>
    OfDeletion,
}

/// <summary>A manifest that no record and no intent names.</summary>
/// <param name="VolumeId">The volume under whose prefix it lies.</param>
/// <param name="Id">The id in its key.</param>
/// <param name="State">Whether something says that it may be removed.</param>
/// <param name="OwnerId">The id that its backup first had; null when the manifest cannot be read.</param>
/// <param name="Damage">Why it cannot be read; null when it can.</param>
/// <param name="Sha256">SHA-256 of the manifest; null when it cannot be read.</param>
/// <param name="SizeBytes">Size of the volume.</param>
/// <param name="ChunkSize">Bytes in a chunk.</param>
internal sealed record UnnamedManifest(string VolumeId, Guid Id, UnnamedState State, Guid? OwnerId, string? Damage, string? Sha256, long SizeBytes, int ChunkSize)
{
    public string Key => StoreKeys.Manifest(VolumeId, Id);

    /// <summary>Stands for the manifest where a record would: who reads through it reads exactly this manifest.</summary>
    public Backup ToBackup(BackupStatus status) =>
        RecordStore.CreateStub(VolumeId, Id, status, null) with { ManifestKey = Key, ManifestSha256 = Sha256, SizeBytes = SizeBytes, ChunkSize = ChunkSize };

    /// <summary>Finds the manifests that nothing names.</summary>
    /// <param name="store">Where they are.</param>
    /// <param name="records">Asked directly for the record of each one found: a listing that does not show a record proves nothing.</param>
    /// <param name="manifests">Manifests that were listed.</param>
    /// <param name="backups">All records that were listed after them.</param>
    /// <param name="intents">The intents that protect what they name. Not those of stale imports and repacks: they stored no data of their own, and a prune treats what they name like any other.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The manifests, and records that the listing missed.</returns>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<(List<UnnamedManifest> Manifests, List<Backup> MissedRecords)> FindAsync(
        IObjectStore store, RecordStore records, IEnumerable<(string VolumeId, Guid Id)> manifests, IReadOnlyList<Backup> backups, IReadOnlyList<Intent> intents, CancellationToken cancellationToken)
    {
        HashSet<string> named = [.. backups.Concat(intents.Select(intent => intent.Backup)).Select(backup => backup.ManifestKey!).Where(key => key is not null)];
        foreach (Intent intent in intents)
            named.UnionWith(intent.DataIds.Select(id => StoreKeys.Manifest(IntentStore.DataOf(intent.Backup).VolumeId, id)));

        List<UnnamedManifest> found = [];
        List<Backup> missed = [];
        var owners = new Dictionary<string, HashSet<Guid>>();
        foreach ((string volumeId, Guid id) in manifests.Where(manifest => !named.Contains(StoreKeys.Manifest(manifest.VolumeId, manifest.Id))).ToArray())
        {
            if (await ReadAsync(store, volumeId, id, cancellationToken).ConfigureAwait(false) is not { } manifest)
                continue;
            foreach (Guid recordId in new[] { id, manifest.OwnerId ?? id }.Distinct().Where(recordId => !backups.Concat(missed).Any(backup => backup.Id == recordId && backup.VolumeId == volumeId)))
            {
                if (await records.FindRecordOrStubAsync(volumeId, recordId, cancellationToken).ConfigureAwait(false) is { } record)
                    missed.Add(record);
            }

            if (missed.Exists(record => record.ManifestKey == manifest.Key))
                continue;
            bool isGoing = manifest.OwnerId is { } owner && backups.Concat(missed).Any(backup => backup.IsGoing() && backup.ManifestKey is not null && ((backup.Id == owner && backup.VolumeId == volumeId) || IntentStore.DataOf(backup) == (volumeId, owner)));
            bool isSuperseded = !isGoing && manifest.OwnerId is { } other && (await GetOwnersAsync(volumeId).ConfigureAwait(false)).Contains(other);
            found.Add(manifest with { State = isGoing ? UnnamedState.OfDeletion : isSuperseded ? UnnamedState.Superseded : UnnamedState.Orphaned });
        }

        return (found, missed);

        async Task<HashSet<Guid>> GetOwnersAsync(string volumeId)
        {
            if (owners.TryGetValue(volumeId, out HashSet<Guid>? known))
                return known;
            HashSet<Guid> ids = [];
            foreach (Backup backup in backups.Concat(missed).Where(backup => backup.Status == BackupStatus.Available && backup.ManifestKey is not null && IntentStore.DataOf(backup).VolumeId == volumeId).ToArray())
            {
                try
                {
                    ids.Add((await store.ReadManifestAsync(records, backup, cancellationToken).ConfigureAwait(false)).Backups[^1]);
                }
                catch (BackupEngineException e) when (e is CorruptionException or RepositoryException)
                {
                    // A backup without a readable manifest supersedes nothing: the other manifest may be all that is left of it.
                }
            }

            return owners[volumeId] = ids;
        }
    }

    /// <returns>Null when the manifest is gone by now.</returns>
    private static async Task<UnnamedManifest?> ReadAsync(IObjectStore store, string volumeId, Guid id, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Manifest(volumeId, id);
        try
        {
            byte[] bytes = await store.GetAllAsync(key, ManifestFormat.MaxManifestSize, cancellationToken).ConfigureAwait(false);
            Manifest manifest = ManifestDecoder.Decode(key, bytes);
            return manifest.Key == key
                ? new UnnamedManifest(volumeId, id, UnnamedState.Orphaned, manifest.Backups[^1], null, Convert.ToHexStringLower(SHA256.HashData(bytes)), manifest.Geometry.SizeBytes, manifest.Geometry.ChunkSize)
                : Unreadable($"it says that it is {manifest.Key}");
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return null;
        }
        catch (Exception e) when (e is CorruptionException or RepositoryException)
        {
            return Unreadable(e.Message);
        }

        UnnamedManifest Unreadable(string why) => new(volumeId, id, UnnamedState.Orphaned, null, why, null, 0, ChunkSizes.Default);
    }
}
