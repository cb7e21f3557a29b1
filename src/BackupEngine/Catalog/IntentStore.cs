using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>
/// Who is at work in a repository: intents of writers, and marks of deleters. The two halves of one promise (docs/architecture.md "Who may do what at
/// once"): each side first says what it is about to do and only then looks what others said, so at least one sees the other.
/// </summary>
/// <param name="store">The container.</param>
/// <param name="writers">What this process writes; null for the process that runs.</param>
/// <param name="staleAfter">The time after which what is not refreshed is stale; null for an hour.</param>
internal sealed class IntentStore(IObjectStore store, LocalWriters? writers = null, TimeSpan? staleAfter = null)
{
    private readonly TimeSpan _staleAfter = staleAfter ?? TimeSpan.FromHours(1);

    /// <summary>Gets what this process writes and deletes.</summary>
    public LocalWriters Writers { get; } = writers ?? LocalWriters.Current;

    /// <summary>All intents and marks, of one volume or of all, and which of them are stale.</summary>
    /// <param name="volumeId">The volume; null for all.</param>
    /// <param name="ownKey">The key of the intent or mark that this operation has just put: its time is the store's. Null when there is none: the store's time is at least the latest in the listing.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async Task<IntentListing> ListAsync(string? volumeId, string? ownKey, CancellationToken cancellationToken)
    {
        IntentListing listing = await ListAsync(volumeId, cancellationToken).ConfigureAwait(false);
        if (ownKey is null || !listing.HasOthers(ownKey))
            return listing;
        ObjectInfo? own = await store.HeadAsync(ownKey, cancellationToken).ConfigureAwait(false);
        return BackupOrder.GetUsable(own?.LastModified) is { } now ? listing.WithTime(now, _staleAfter) : listing;
    }

    /// <inheritdoc cref="ListAsync(string?, string?, CancellationToken)"/>
    public async Task<IntentListing> ListAsync(string? volumeId, CancellationToken cancellationToken)
    {
        var intents = new List<Intent>();
        var deletions = new List<Deletion>();
        foreach (ObjectInfo info in await store.ListStableAsync(volumeId is null ? StoreKeys.Intents : StoreKeys.IntentsOf(volumeId), cancellationToken).ConfigureAwait(false))
        {
            if (StoreKeys.TryParseDeletion(info.Key, out string dataVolumeId, out Guid dataId))
            {
                if (await FindAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } bytes)
                    deletions.Add(new Deletion(info.Key, dataVolumeId, dataId, ReadDeleter(info.Key, bytes), info.LastModified) { Observer = Writers });
            }
            else if (StoreKeys.TryParseRecord(info.Key, out string volume, out Guid backupId)
                && await FindAsync(info.Key, cancellationToken).ConfigureAwait(false) is { } bytes)
            {
                intents.Add(ReadIntent(info.Key, bytes, volume, backupId) with { StoredAt = info.LastModified, Observer = Writers });
            }
        }

        var listing = new IntentListing(intents, deletions);
        return listing.WithTime(listing.LatestTime, _staleAfter);
    }

    /// <summary>Marks what is stale in a listing at a time of the store.</summary>
    public IntentListing WithTime(IntentListing listing, DateTimeOffset now) => listing.WithTime(now, _staleAfter);

    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.AlreadyExists"/> when the backup is being written already.</exception>
    public async ValueTask PutAsync(Intent intent, CancellationToken cancellationToken, IntentRefresher? refresher = null)
    {
        string key = StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id);
        byte[] content = CatalogJson.Write(intent);
        await store.PutAsync(key, content, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
        refresher?.Add(key, content, count => CatalogJson.Write(intent with { Refresh = NameRefresh(count) }));
    }

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

    /// <summary>Whether a deleter that may be active is deleting a backup's data. Marks of others on it are removed.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="ownKey">The key of this operation's intent.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async Task<Deletion?> FindDeletionAsync(Backup backup, string ownKey, CancellationToken cancellationToken)
    {
        IntentListing listing = await ListAsync(DataOf(backup).VolumeId, ownKey, cancellationToken).ConfigureAwait(false);
        if (listing.FindDeletion(backup) is { } deletion)
            return deletion;
        await DeleteDeletionsAsync(listing.FindDeadMarks(backup), cancellationToken).ConfigureAwait(false);
        return null;
    }

    /// <summary>Says that this process is about to delete a backup's data.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="token">The deleter's name for it; registered with <see cref="Writers"/> for as long as it goes on.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <param name="refresher">Keeps the mark fresh. Of several marks with one token under one volume, one is enough.</param>
    /// <returns>The mark's key.</returns>
    public async ValueTask<string> PutDeletionAsync(Backup backup, Guid token, CancellationToken cancellationToken, IntentRefresher? refresher = null)
    {
        (string dataVolumeId, Guid dataId) = DataOf(backup);
        string key = StoreKeys.Deletion(dataVolumeId, dataId, token);
        byte[] content = CatalogJson.Write(DeletionMark.Of(Writers.Identity, null));
        await store.PutAsync(key, content, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
        refresher?.Add(key, content, count => CatalogJson.Write(DeletionMark.Of(Writers.Identity, NameRefresh(count))));
        return key;
    }

    /// <summary>Says that nothing is deleted any more.</summary>
    /// <param name="marks">The marks' keys.</param>
    public ValueTask DeleteDeletionsAsync(IReadOnlyCollection<string> marks, CancellationToken cancellationToken) =>
        marks.Count == 0 ? ValueTask.CompletedTask : store.DeleteAsync(marks, cancellationToken);

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

    /// <summary>Two copies of a process in cloned machines must not write the same, so the name is drawn at random.</summary>
    private static string NameRefresh(int count) => $"{count}-{Guid.NewGuid():N}";

    private static ProcessIdentity? ReadDeleter(string key, byte[] json)
    {
        try
        {
            return CatalogJson.ReadMark(key, json).Deleter;
        }
        catch (CorruptionException)
        {
            // It is not known who deletes.
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
    /// <summary>Gets the latest time of the listing, which is the store's time at least.</summary>
    public DateTimeOffset LatestTime =>
        Intents.Select(intent => intent.StoredAt).Concat(Deletions.Select(deletion => deletion.StoredAt)).DefaultIfEmpty().Max();

    /// <summary>Gets a value that indicates whether anything is listed that is not the caller's own, nor of a process that is known to have exited.</summary>
    public bool HasOthers(string? ownKey) =>
        Intents.Any(intent => !intent.HasExited && StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id) != ownKey) || Deletions.Any(deletion => !deletion.IsDead && deletion.Key != ownKey);

    /// <summary>
    /// Says which intents and marks are stale at a time of the store. The marks of one deleter under one volume are as fresh as the freshest of them. The intent of a newer engine
    /// is never stale here: only that engine knows what it needs.
    /// </summary>
    public IntentListing WithTime(DateTimeOffset now, TimeSpan staleAfter)
    {
        Dictionary<(string, Guid), DateTimeOffset> fresh = [];
        foreach (Deletion deletion in Deletions)
        {
            (string, Guid) owner = (deletion.DataVolumeId, deletion.Token);
            if (!fresh.TryGetValue(owner, out DateTimeOffset latest) || latest < deletion.StoredAt)
                fresh[owner] = deletion.StoredAt;
        }

        return new IntentListing(
            [.. Intents.Select(intent => intent with { IsStale = !intent.IsNewer && IsStale(intent.StoredAt) })],
            [.. Deletions.Select(deletion => deletion with { IsStale = IsStale(fresh[(deletion.DataVolumeId, deletion.Token)]) })]);

        bool IsStale(DateTimeOffset storedAt) => BackupOrder.GetUsable(storedAt) is not null && now.UtcTicks - storedAt.UtcTicks >= staleAfter.Ticks;
    }

    /// <summary>Returns the keys of marks on a backup's data whose deleters have exited or are considered stale.</summary>
    public IReadOnlyList<string> FindDeadMarks(Backup backup)
    {
        (string dataVolumeId, Guid dataId) = IntentStore.DataOf(backup);
        return [.. Deletions.Where(deletion => deletion.DataVolumeId == dataVolumeId && deletion.DataId == dataId && deletion.IsDead).Select(deletion => deletion.Key)];
    }

    /// <summary>Somebody else than the owner of a mark, and who may be alive, that is about to delete a backup's data, or to change the record over to other data.</summary>
    public Deletion? FindDeletion(Backup backup, string? ownMark = null)
    {
        (string dataVolumeId, Guid dataId) = IntentStore.DataOf(backup);
        return Deletions.FirstOrDefault(deletion => deletion.Key != ownMark && deletion.DataVolumeId == dataVolumeId && deletion.DataId == dataId && !deletion.IsDead);
    }
}
