using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    private const string FailedText = "the backup failed";

    /// <summary>Puts the record. It is no more cancelled half-way: the caller must know what became of the backup.</summary>
    /// <param name="backup">The record.</param>
    /// <param name="wroteData">Whether what the record names was stored by this operation; else it was there before.</param>
    /// <exception cref="BackupStateException">The backup was declared dead (by a prune) before it was committed, so it does not exist.</exception>
    /// <exception cref="ObjectStoreException">The store failed, and nobody knows whether the record arrived.</exception>
    private async Task CommitAsync(Backup backup, bool wroteData)
    {
        // As long as the store takes for all its attempts.
        try
        {
            await _records.AddRecordAsync(backup, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ObjectStoreException e)
        {
            // The put may have succeeded although the store said no, or did not say anything.
            Backup? stored = await LookAsync(backup, token => _records.FindRecordAsync(backup.VolumeId, backup.Id, token)).ConfigureAwait(false);
            if (stored is null)
                throw;
            bool isOther = stored.ManifestSha256 != backup.ManifestSha256 || stored.UpdatedAt != backup.UpdatedAt || stored.Status != backup.Status;
            if (isOther && wroteData)
                await PutCleanUpIntentAsync(backup).ConfigureAwait(false);
            if (isOther)
                throw new BackupStateException($"Backup {backup.Id} was declared dead by a prune, or another of that id was made, before it was finished ({e.Error}); back up again.");
            // Seen, but when the store says that it failed it may not last, as when a directory could not be forced to disk.
            if (e.Error is not (ObjectStoreError.Unavailable or ObjectStoreError.AlreadyExists))
                throw;
        }

        await CheckIntentAsync(backup, wroteData).ConfigureAwait(false);
    }

    /// <summary>
    /// Whoever breaks an intent puts a record in the backup's place first, so a commit that came too late has failed already, unless all that is over
    /// and even that record is gone again. Then the data may be gone with it, or be another's.
    /// </summary>
    private async Task CheckIntentAsync(Backup backup, bool wroteData)
    {
        if (await LookAsync(backup, token => _intents.ExistsAsync(backup, token).AsTask()).ConfigureAwait(false))
            return;
        await LookAsync(backup, async token =>
        {
            await WithdrawAsync(backup, wroteData, token).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        throw new BackupStateException($"Backup {backup.Id} was declared dead by a prune, or taken over, while it was being written; back up again.");
    }

    /// <summary>
    /// Takes a record back that should not be there. Where the backup wrote data, a tombstone takes its place: some may have been stored after that of the others was removed,
    /// and it tells the next prune that it may go. An import wrote none, and what its record names is not its own.
    /// </summary>
    private async Task WithdrawAsync(Backup backup, bool wroteData, CancellationToken cancellationToken)
    {
        try
        {
            Backup? tombstone = wroteData
                ? await _records.ChangeRecordAsync(backup, now => now.UpdatedAt == backup.UpdatedAt && !now.IsGoing() ? ToFailedTombstone(now) : null, cancellationToken).ConfigureAwait(false)
                : null;
            if (tombstone is not null)
                return;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.OutOfSpace)
        {
            // Without room for the tombstone the record must still go.
        }

        await _records.DeleteRecordAsync(backup, cancellationToken).ConfigureAwait(false);
    }

    private Backup ToFailedTombstone(Backup backup) => backup with
    {
        Status = BackupStatus.Deleting,
        ParentId = null,
        StateReason = BackupStateReason.WriterFailed,
        FailReason = FailedText,
        UpdatedAt = _time.GetUtcNow(),
    };

    /// <summary>Asks the store about a commit, but not for ever.</summary>
    /// <exception cref="ObjectStoreException">It did not answer.</exception>
    private async Task<T> LookAsync<T>(Backup backup, Func<CancellationToken, Task<T>> look)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        try
        {
            return await look(timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            throw new ObjectStoreException(
                ObjectStoreError.Unavailable, StoreKeys.Record(backup.VolumeId, backup.Id), $"{Name} does not answer, so nobody knows whether backup {backup.Id} was committed; list the backups when it is back", e);
        }
    }

    /// <summary>The backup is committed: whatever the caller wants now, the intent must go, and when it cannot it only delays a delete.</summary>
    private async Task RemoveIntentAsync(Backup backup)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        try
        {
            await _intents.DeleteAsync(backup, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The backup is committed, or has failed for a reason that the caller is to see: nothing here may hide that.
            _logger.CleanUpFailed(e, backup.Id);
        }
    }

    /// <summary>
    /// Removes what a backup that failed has stored, unless somebody declared it dead: then its packs may have an owner. As those do, this takes the place of its record
    /// first, so of them and this only one goes on.
    /// </summary>
    private async Task CleanUpAsync(Backup draft, IReadOnlyList<string> packKeys, IReadOnlyList<Intent> takenOver)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        try
        {
            if (!await TryPutFailedStoneAsync(draft, timeout.Token).ConfigureAwait(false))
            {
                await CleanUpFullStoreAsync(draft, packKeys, timeout.Token).ConfigureAwait(false);
                return;
            }

            // Without its intent this backup was considered stale: others may refer to its packs, and only a prune can tell. The tombstone stays for it.
            if (!await _intents.ExistsAsync(draft, timeout.Token).ConfigureAwait(false))
                return;
            await _store.DeleteAsync([.. packKeys, draft.ManifestKey!], timeout.Token).ConfigureAwait(false);
            await BuryAsync(takenOver, null, timeout.Token).ConfigureAwait(false);
            await _intents.DeleteAsync(draft, timeout.Token).ConfigureAwait(false);
            await _records.DeleteRecordAsync(draft, timeout.Token).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // Considered stale: whoever did that removes the rest, but for what was stored since.
            await PutCleanUpIntentAsync(draft).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            _logger.CleanUpFailed(e, draft.Id);
        }
    }

    /// <summary>
    /// Leaves evidence for what a backup stored after others had considered it stale: they may have looked at its packs before, and remove their tombstone at any moment. An
    /// intent under an id of its own that nobody fulfils says that what was stored under the backup's id may go; as that of a repack, it is not one that a backup could resume.
    /// </summary>
    private async Task PutCleanUpIntentAsync(Backup draft)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        (string dataVolumeId, _) = IntentStore.DataOf(draft);

        // An id that this process has begun and ended is known to be ended, so that a prune need not wait until the intent is stale.
        var id = Guid.NewGuid();
        using LocalWriters.Registration writing = _intents.Writers.Begin(id);
        try
        {
            await _intents.PutAsync(
                new Intent
                {
                    Backup = RecordStore.CreateStub(dataVolumeId, id, BackupStatus.Creating, null) with { CreatedAt = _time.GetUtcNow() },
                    Writer = _intents.Writers.Identity,
                    Repacks = [draft.Id],
                    Manifests = [draft.Id],
                },
                timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _logger.CleanUpFailed(e, draft.Id);
        }
    }

    /// <summary>The place of the record is this backup's, which will not be committed. It is nobody's incremental any more.</summary>
    /// <returns>False when the store has no room for it.</returns>
    private async Task<bool> TryPutFailedStoneAsync(Backup draft, CancellationToken cancellationToken)
    {
        Backup stone = ToFailedTombstone(draft);
        try
        {
            await _records.AddTombstoneAsync(stone, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.OutOfSpace)
        {
            return false;
        }
    }

    /// <summary>
    /// Makes room without a put: without its intent nobody takes this backup over any more (<see cref="TakeOverAsync"/> looks for it last); whoever has begun to has said
    /// so in an intent of his own, and whoever is done refers to what he took.
    /// </summary>
    private async Task CleanUpFullStoreAsync(Backup draft, IReadOnlyList<string> packKeys, CancellationToken cancellationToken)
    {
        await _intents.DeleteAsync(draft, cancellationToken).ConfigureAwait(false);

        // The intent made a little room; should the clean-up be interrupted, the tombstone tells the next prune what may go.
        bool hasTombstone = await TryPutFailedStoneAsync(draft, cancellationToken).ConfigureAwait(false);
        IntentListing atWork = await _intents.ListAsync(draft.VolumeId, cancellationToken).ConfigureAwait(false);
        if (atWork.Intents.Any(intent => intent.Damage is not null || intent.Resumes.Contains(draft.Id)))
            return;
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        RecordStore.ThrowIfUnreadable(records);
        if (await ReadPacksAsync(records, IntentStore.DataOf(draft).VolumeId, cancellationToken).ConfigureAwait(false) is not { } kept)
            return;
        await _store.DeleteAsync([.. packKeys.Where(key => !kept.Contains(key)), draft.ManifestKey!], cancellationToken).ConfigureAwait(false);
        if (hasTombstone && !kept.IsAny)
            await _records.DeleteRecordAsync(draft, cancellationToken).ConfigureAwait(false);
    }
}
