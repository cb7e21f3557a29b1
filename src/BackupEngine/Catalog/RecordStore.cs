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

    /// <summary>Describes a backup whose record was made anew, so its times may not be those that it had.</summary>
    public const string RebuiltText = "the record was damaged, and made anew from the manifest";

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
        await foreach (ObjectInfo info in store.ListAsync(StoreKeys.Records, cancellationToken).ConfigureAwait(false))
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
    /// Replaces a record by what is made of it. Only what was looked at is replaced: when another changes the record meanwhile, it is looked at again; and a
    /// replacement that the store carries out late, when this has failed long since, fails as soon as anybody has changed the record.
    /// </summary>
    /// <param name="backup">Which.</param>
    /// <param name="change">Given the record as it is; one that cannot be read as a backup in error. Null leaves it.</param>
    /// <returns>What was put; null when the record was left, or there is none.</returns>
    public async Task<Backup?> ChangeRecordAsync(Backup backup, Func<Backup, Task<Backup?>> change, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Record(backup.VolumeId, backup.Id);
        for (int attempt = 1; ; attempt++)
        {
            (byte[]? json, Backup? there) = await ReadOrReportAsync(key, cancellationToken).ConfigureAwait(false);
            if (there is null || await change(there).ConfigureAwait(false) is not { } anew)
                return null;
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
    public static void ThrowIfUnreadable(IEnumerable<Backup> records)
    {
        if (records.FirstOrDefault(record => record.IsUnreadable) is { } record)
        {
            throw new CorruptionException(
                StoreKeys.Record(record.VolumeId, record.Id), null, $"the record cannot be read, so nobody knows what it needs; repair the repository, or delete that backup, before anything is removed ({record.FailReason})");
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
            store.ListAsync(prefix, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = ConcurrentReads, CancellationToken = cancellationToken },
            async (info, token) =>
            {
                if (!StoreKeys.TryParseRecord(info.Key, out _, out _))
                    return;
                if ((await ReadOrReportAsync(info.Key, token).ConfigureAwait(false)).Backup is not { } backup)
                    return;
                lock (backups)
                    backups.Add(backup);
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

    private async Task<Backup?> ReadAsync(string key, CancellationToken cancellationToken) =>
        await FindBytesAsync(key, cancellationToken).ConfigureAwait(false) is { } json ? Parse(key, json) : null;

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
