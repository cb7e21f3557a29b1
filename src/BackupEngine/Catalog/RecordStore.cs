using System.Text;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>The records of a repository: which backups there are.</summary>
internal sealed class RecordStore(IObjectStore store)
{
    /// <summary>Records fetched at once: listing waits for answers, not for bytes.</summary>
    private const int ConcurrentReads = 16;

    /// <summary>More than others change one record at once: then the store does not know its own object again.</summary>
    private const int MaxAttempts = 100;

    /// <summary>All records, of one volume or of all, in no order.</summary>
    public Task<IReadOnlyList<Backup>> ListRecordsAsync(string? volumeId, CancellationToken cancellationToken) =>
        ReadAllAsync(volumeId is null ? StoreKeys.Records : StoreKeys.RecordsOf(volumeId), cancellationToken);

    /// <summary>A backup's record, or null.</summary>
    public Task<Backup?> FindRecordAsync(string volumeId, Guid backupId, CancellationToken cancellationToken) =>
        ReadAsync(StoreKeys.Record(volumeId, backupId), cancellationToken);

    /// <summary>A backup's record, whatever its volume, or null.</summary>
    public async Task<Backup?> FindRecordAsync(Guid backupId, CancellationToken cancellationToken) =>
        await FindKeyAsync(backupId, cancellationToken).ConfigureAwait(false) is { } key ? await ReadAsync(key, cancellationToken).ConfigureAwait(false) : null;

    /// <summary>The same, but one that cannot be read stands as a backup in error.</summary>
    public async Task<Backup?> FindRecordOrStubAsync(Guid backupId, CancellationToken cancellationToken) =>
        await FindKeyAsync(backupId, cancellationToken).ConfigureAwait(false) is { } key ? (await ReadOrReportAsync(key, cancellationToken).ConfigureAwait(false)).Backup : null;

    /// <summary>Returns the record of a backup of a known volume, or null; one that cannot be read stands as a backup in error.</summary>
    public async Task<Backup?> FindRecordOrStubAsync(string volumeId, Guid backupId, CancellationToken cancellationToken) =>
        (await ReadOrReportAsync(StoreKeys.Record(volumeId, backupId), cancellationToken).ConfigureAwait(false)).Backup;

    /// <summary>What is left of a record that cannot be read as a whole.</summary>
    public async Task<SalvagedRecord> SalvageAsync(Backup unreadable, CancellationToken cancellationToken)
    {
        try
        {
            byte[] json = await store.GetAllAsync(StoreKeys.Record(unreadable.VolumeId, unreadable.Id), CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
            return SalvagedRecord.Of(Encoding.Latin1.GetString(json));
        }
        catch (BackupEngineException e) when (e is CorruptionException or ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            return new SalvagedRecord(null, null);
        }
    }

    /// <summary>Volume and id of every record, from the listing alone.</summary>
    public async IAsyncEnumerable<(string VolumeId, Guid BackupId)> ListIdsAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (ObjectInfo info in await store.ListStableAsync(StoreKeys.Records, cancellationToken).ConfigureAwait(false))
        {
            if (StoreKeys.TryParseRecord(info.Key, out string volumeId, out Guid backupId))
                yield return (volumeId, backupId);
        }
    }

    /// <summary>Puts a record where there is none; this is the commit.</summary>
    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.AlreadyExists"/> when there is one.</exception>
    public ValueTask AddRecordAsync(Backup backup, CancellationToken cancellationToken) =>
        store.PutAsync(StoreKeys.Record(backup.VolumeId, backup.Id), CatalogJson.Write(backup), PutCondition.IfAbsent, cancellationToken);

    /// <summary>
    /// Puts a tombstone record where there is no record. Should the store ignore the condition after all, a record that was there before is found by the read before the put, and one
    /// that replaced the tombstone by the read after it.
    /// </summary>
    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.AlreadyExists"/> when there is a record.</exception>
    /// <exception cref="CorruptionException">What is there after the put cannot be read.</exception>
    public async Task AddTombstoneAsync(Backup tombstone, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Record(tombstone.VolumeId, tombstone.Id);
        if ((await ReadOrReportAsync(key, cancellationToken).ConfigureAwait(false)).Backup is not null)
            throw AlreadyThere();
        await AddRecordAsync(tombstone, cancellationToken).ConfigureAwait(false);

        // Another tombstone, or none, means that a successor, a delete or a prune has gone on with this one.
        if (await ReadAsync(key, cancellationToken).ConfigureAwait(false) is { Status: not (BackupStatus.Deleting or BackupStatus.ErrorDeleting) })
            throw AlreadyThere();

        ObjectStoreException AlreadyThere() => new(ObjectStoreError.AlreadyExists, key, $"{store.Name}: cannot store {key}: it exists already");
    }

    /// <summary>
    /// Replaces a record by what is made of it. Only what was looked at is replaced: when another changes the record meanwhile, it is looked at again; and a
    /// replacement that the store carries out late, when this has failed long since, fails as soon as anybody has changed the record.
    /// </summary>
    /// <param name="backup">Which.</param>
    /// <param name="change">Given the record as it is; one that cannot be read as a backup in error. Null leaves it.</param>
    /// <returns>What was put; null when the record was left, or there is none.</returns>
    /// <exception cref="RepositoryException">A newer engine wrote the record.</exception>
    public async Task<Backup?> ChangeRecordAsync(Backup backup, Func<Backup, Task<Backup?>> change, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Record(backup.VolumeId, backup.Id);
        for (int attempt = 1; ; attempt++)
        {
            (byte[]? json, Backup? there) = await ReadOrReportAsync(key, cancellationToken).ConfigureAwait(false);
            if (there is not null)
                NewerRecord.ThrowIf(there);
            if (there is null || await change(there).ConfigureAwait(false) is not { } anew)
                return null;
            anew = await KeepStoredTimeAsync(key, anew, cancellationToken).ConfigureAwait(false);
            try
            {
                await store.PutAsync(key, CatalogJson.Write(anew), await GetConditionAsync(key, json, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
                return anew;
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.Changed && attempt < MaxAttempts)
            {
                // Whatever it is now, it is looked at again.
            }
        }
    }

    /// <summary>The same, for changes that look at nothing else.</summary>
    public Task<Backup?> ChangeRecordAsync(Backup backup, Func<Backup, Backup?> change, CancellationToken cancellationToken) =>
        ChangeRecordAsync(backup, now => Task.FromResult(change(now)), cancellationToken);

    /// <summary>
    /// Makes a record another, in nothing that matters, so that whatever a repack still has under way for it fails: for whoever takes a repack for dead, or is about to rely on
    /// what the record names.
    /// </summary>
    /// <returns>The record; null when there is none.</returns>
    /// <exception cref="CorruptionException">It cannot be read.</exception>
    public Task<Backup?> RenewRecordAsync(Backup backup, DateTimeOffset now, CancellationToken cancellationToken) => ChangeRecordAsync(
        backup,
        record =>
        {
            ThrowIfUnreadable([record]);
            return record with { UpdatedAt = record.UpdatedAt is { } last && last >= now ? last.AddTicks(1) : now };
        },
        cancellationToken);

    public ValueTask DeleteRecordAsync(Backup backup, CancellationToken cancellationToken) =>
        store.DeleteAsync([StoreKeys.Record(backup.VolumeId, backup.Id)], cancellationToken);

    /// <summary>
    /// Throws when a record in a list could not be read: nobody knows what data it refers to, so nothing may be taken away before it is repaired.
    /// </summary>
    /// <exception cref="CorruptionException">One could not be read.</exception>
    /// <exception cref="RepositoryException">One was written by a newer engine.</exception>
    public static void ThrowIfUnreadable(IEnumerable<Backup> records)
    {
        records = [.. records];
        foreach (Backup record in records)
            NewerRecord.ThrowIf(record);
        if (records.FirstOrDefault(record => record.IsUnreadable) is { } unreadable)
        {
            throw new CorruptionException(
                StoreKeys.Record(unreadable.VolumeId, unreadable.Id), null, $"the record cannot be read, so nobody knows what it needs; repair the repository, or delete that backup, before anything is removed ({unreadable.FailReason})");
        }
    }

    /// <summary>A backup of which only its place in the container is known.</summary>
    public static Backup CreateStub(string volumeId, Guid backupId, BackupStatus status, string? failReason) => new()
    {
        Id = backupId,
        VolumeId = volumeId,
        Status = status,
        FailReason = failReason,
        SizeBytes = 0,
        CreatedAt = default,
        DataTimestamp = default,
        ChunkSize = Format.ChunkSizes.Default,
        Hash = Hashing.ChunkHash.XxHash128,
        Compression = Compression.ChunkCompression.None,
    };

    /// <summary>Writes down when a backup of an earlier version was stored, at the latest: the record's own time is lost when it is replaced.</summary>
    private async Task<Backup> KeepStoredTimeAsync(string key, Backup backup, CancellationToken cancellationToken)
    {
        if (backup.StoredAt is not null || backup.Status is not (BackupStatus.Available or BackupStatus.Error) || backup.CreatedAt == default)
            return backup;
        ObjectInfo? info = await store.HeadAsync(key, cancellationToken).ConfigureAwait(false);
        return BackupOrder.GetUsable(info?.LastModified) is { } modified ? backup with { StoredAt = modified < backup.CreatedAt ? modified : backup.CreatedAt } : backup;
    }

    private async Task<string?> FindKeyAsync(Guid backupId, CancellationToken cancellationToken)
    {
        await foreach ((string volumeId, Guid id) in ListIdsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (id == backupId)
                return StoreKeys.Record(volumeId, id);
        }

        return null;
    }

    private async Task<IReadOnlyList<Backup>> ReadAllAsync(string prefix, CancellationToken cancellationToken)
    {
        var backups = new List<Backup>();
        await Parallel.ForEachAsync(
            await store.ListStableAsync(prefix, cancellationToken).ConfigureAwait(false),
            new ParallelOptions { MaxDegreeOfParallelism = ConcurrentReads, CancellationToken = cancellationToken },
            async (info, token) =>
            {
                if (!StoreKeys.TryParseRecord(info.Key, out _, out _))
                    return;
                if ((await ReadOrReportAsync(info.Key, token).ConfigureAwait(false)).Backup is not { } backup)
                    return;
                lock (backups)
                    backups.Add(backup with { RecordModifiedAt = info.LastModified });
            }).ConfigureAwait(false);
        return backups;
    }

    /// <summary>What is empty or endless was not read, and can only be replaced whatever it is; but it must really be that.</summary>
    private async Task<PutCondition> GetConditionAsync(string key, byte[]? json, CancellationToken cancellationToken)
    {
        if (json is [_, ..])
            return PutCondition.IfUnchanged(json);
        ObjectInfo? info = await store.HeadAsync(key, cancellationToken).ConfigureAwait(false);
        return info is { SizeBytes: 0 or > CatalogJson.MaxLength }
            ? PutCondition.None
            : throw new ObjectStoreException(ObjectStoreError.Changed, key, $"{store.Name}: cannot store {key}: it was read as something else than it is");
    }

    /// <summary>One damaged record must not hide all others: in a list it stands as a backup in error.</summary>
    /// <returns>Also its bytes, if they could be read. No backup when there is no record any more.</returns>
    private async Task<(byte[]? Json, Backup? Backup)> ReadOrReportAsync(string key, CancellationToken cancellationToken)
    {
        byte[]? json = null;
        try
        {
            json = await FindBytesAsync(key, cancellationToken).ConfigureAwait(false);
            return (json, json is null ? null : Parse(key, json));
        }
        catch (CorruptionException e)
        {
            return !StoreKeys.TryParseRecord(key, out string volumeId, out Guid backupId) ? default : (json, CreateStub(volumeId, backupId, BackupStatus.Error, e.Message) with { IsUnreadable = true });
        }
    }

    /// <exception cref="RepositoryException">A newer engine wrote it.</exception>
    private async Task<Backup?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        if (await FindBytesAsync(key, cancellationToken).ConfigureAwait(false) is not { } json)
            return null;
        Backup backup = Parse(key, json);
        NewerRecord.ThrowIf(backup);
        return backup;
    }

    private static Backup Parse(string key, byte[] json)
    {
        Backup backup = CatalogJson.ReadBackup(key, json);
        return StoreKeys.TryParseRecord(key, out string volumeId, out Guid backupId) && backup.Id == backupId && backup.VolumeId == volumeId
            ? backup
            : throw new CorruptionException(key, null, $"the record says that it is backup {backup.Id} of volume {backup.VolumeId}");
    }

    private async Task<byte[]?> FindBytesAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetAllAsync(key, CatalogJson.MaxLength, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            // Deleted between the listing and now.
            return null;
        }
    }
}
