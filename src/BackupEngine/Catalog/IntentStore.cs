using System.Text.Json;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>
/// Who is at work in a repository: intents of writers, and marks of deleters. The two halves of one promise (docs/architecture.md "Who may do what at
/// once"): each side first says what it is about to do and only then looks what others said, so at least one sees the other.
/// </summary>
internal sealed class IntentStore(IObjectStore store)
{
    /// <summary>All intents and marks, of one volume or of all.</summary>
    public async Task<IntentListing> ListAsync(string? volumeId, CancellationToken cancellationToken)
    {
        var intents = new List<Intent>();
        var deletions = new List<Deletion>();
        foreach (ObjectInfo info in await store.ListStableAsync(volumeId is null ? StoreKeys.Intents : StoreKeys.IntentsOf(volumeId), cancellationToken).ConfigureAwait(false))
        {
            if (StoreKeys.TryParseDeletion(info.Key, out string dataVolumeId, out Guid dataId))
            {
                if (await FindAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } bytes)
                    deletions.Add(new Deletion(info.Key, dataVolumeId, dataId, ReadDeleter(bytes), info.LastModified));
            }
            else if (StoreKeys.TryParseRecord(info.Key, out string volume, out Guid backupId)
                && await FindAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } bytes)
            {
                intents.Add(ReadIntent(info.Key, bytes, volume, backupId) with { StoredAt = info.LastModified });
            }
        }

        return new IntentListing(intents, deletions);
    }

    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.AlreadyExists"/> when the backup is being written already.</exception>
    public ValueTask PutAsync(Intent intent, CancellationToken cancellationToken) =>
        store.PutAsync(StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id), CatalogJson.Write(intent), PutCondition.IfAbsent, cancellationToken);

    /// <summary>Removes the intent of an import of this id whose process is gone; what it left is nothing, so another may begin.</summary>
    public async Task RemoveDeadImportAsync(Backup backup, CancellationToken cancellationToken)
    {
        IntentListing listing = await ListAsync(backup.VolumeId, cancellationToken).ConfigureAwait(false);
        if (listing.Intents.FirstOrDefault(intent => intent.Backup.Id == backup.Id) is { Damage: null, IsImport: true, IsDead: true })
            await DeleteAsync(backup, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the time at which the intent of a backup was stored, by the store's clock; null when there is none, or the store does not tell times.</summary>
    public async ValueTask<DateTimeOffset?> FindStoredTimeAsync(Backup backup, CancellationToken cancellationToken) =>
        BackupOrder.GetUsable((await store.HeadAsync(StoreKeys.Intent(backup.VolumeId, backup.Id), cancellationToken).ConfigureAwait(false))?.LastModified);

    public async ValueTask<bool> ExistsAsync(Backup backup, CancellationToken cancellationToken) =>
        await store.HeadAsync(StoreKeys.Intent(backup.VolumeId, backup.Id), cancellationToken).ConfigureAwait(false) is not null;

    public ValueTask DeleteAsync(Backup backup, CancellationToken cancellationToken) =>
        store.DeleteAsync([StoreKeys.Intent(backup.VolumeId, backup.Id)], cancellationToken);

    /// <summary>Whether somebody who may be alive is deleting a backup's data.</summary>
    public async Task<Deletion?> FindDeletionAsync(Backup backup, CancellationToken cancellationToken)
    {
        IntentListing listing = await ListAsync(DataOf(backup).VolumeId, cancellationToken).ConfigureAwait(false);
        return listing.FindDeletion(backup);
    }

    /// <summary>Says that this process is about to delete a backup's data.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="token">The deleter's name for it; registered with <see cref="LocalWriters"/> for as long as it goes on.</param>
    /// <returns>The mark's key.</returns>
    public async ValueTask<string> PutDeletionAsync(Backup backup, Guid token, CancellationToken cancellationToken)
    {
        (string dataVolumeId, Guid dataId) = DataOf(backup);
        string key = StoreKeys.Deletion(dataVolumeId, dataId, token);
        await store.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(ProcessIdentity.Current, CatalogJson.Default.ProcessIdentity), PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
        return key;
    }

    /// <summary>Says that nothing is deleted any more.</summary>
    /// <param name="marks">The marks' keys.</param>
    public ValueTask DeleteDeletionsAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken) => store.DeleteAsync(marks, cancellationToken);

    /// <summary>
    /// Asked when records say "deleting" and nothing is gone yet: whoever has begun since a mark was there has seen it. When somebody broke one, others may have begun
    /// without seeing it, and all must stay.
    /// </summary>
    /// <exception cref="BackupStateException">A mark is gone.</exception>
    public async Task ThrowIfBrokenAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken)
    {
        if (marks.Count == 0)
            return;
        HashSet<string> missing = [.. marks];
        await foreach (ObjectInfo info in store.ListAsync(StoreKeys.Intents, cancellationToken).ConfigureAwait(false))
            missing.Remove(info.Key);
        if ((await store.FindMissingAsync(missing, cancellationToken).ConfigureAwait(false)).Count > 0)
            throw new BackupStateException("This delete or prune was declared dead by another prune; try again.");
    }

    /// <summary>Where a backup's data is: an imported backup's may have another volume and id than its record.</summary>
    public static (string VolumeId, Guid Id) DataOf(Backup backup) =>
        backup.ManifestKey is { } key && StoreKeys.TryParseManifest(key, out string volumeId, out Guid id) ? (volumeId, id) : (backup.VolumeId, backup.Id);

    private async Task<byte[]?> FindAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAllAsync(key, CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            // Gone between the listing and now.
            return null;
        }
        catch (CorruptionException)
        {
            return [];
        }
    }

    private static ProcessIdentity? ReadDeleter(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, CatalogJson.Default.ProcessIdentity);
        }
        catch (JsonException)
        {
            // Somebody deletes, whoever it is.
            return null;
        }
    }

    /// <summary>What a stale writer's intent names is removed, so it must be the writer's own manifest; only an import names another.</summary>
    private static bool IsOwnManifest(Intent intent) =>
        intent.Backup.ManifestKey is not { } key || (StoreKeys.TryParseManifest(key, out _, out Guid id) && (intent.IsImport || id == intent.Backup.Id));

    private static Intent ReadIntent(string key, byte[] json, string volumeId, Guid backupId)
    {
        try
        {
            Intent intent = CatalogJson.ReadIntent(key, json);
            if (!IsOwnManifest(intent))
                throw new CorruptionException(key, null, $"the intent names manifest {intent.Backup.ManifestKey}, which is not its own");
            return intent.Backup.Id == backupId && intent.Backup.VolumeId == volumeId
                ? intent
                : throw new CorruptionException(key, null, $"the intent says that it is for backup {intent.Backup.Id} of volume {intent.Backup.VolumeId}");
        }
        catch (BackupEngineException e) when (e is CorruptionException or RepositoryException)
        {
            return new Intent { Backup = RecordStore.CreateStub(volumeId, backupId, BackupStatus.Creating, null), Damage = e.Message, IsNewer = e is RepositoryException };
        }
    }
}

/// <summary>What a look at the intents found.</summary>
internal sealed record IntentListing(IReadOnlyList<Intent> Intents, IReadOnlyList<Deletion> Deletions)
{
    /// <summary>Somebody else than the owner of a mark, and who may be alive, that is about to delete a backup's data, or to change the record over to other data.</summary>
    public Deletion? FindDeletion(Backup backup, string? ownMark = null)
    {
        (string dataVolumeId, Guid dataId) = IntentStore.DataOf(backup);
        return Deletions.FirstOrDefault(deletion => deletion.Key != ownMark && deletion.DataVolumeId == dataVolumeId && deletion.DataId == dataId && !deletion.IsDead);
    }
}
