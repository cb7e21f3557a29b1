using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>Puts the record. It is no more cancelled half-way: the caller must know what became of the backup.</summary>
    /// <exception cref="BackupStateException">The backup was declared dead (by a prune) before it was committed, so it does not exist.</exception>
    /// <exception cref="ObjectStoreException">The store failed, and nobody knows whether the record arrived.</exception>
    private async Task CommitAsync(Backup backup)
    {
        // As long as the store takes for all its attempts.
        try
        {
            await _records.PutRecordAsync(backup, PutCondition.IfAbsent, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ObjectStoreException e)
        {
            // The put may have succeeded although the store said no, or did not say anything.
            Backup? stored = await _records.FindRecordAsync(backup.VolumeId, backup.Id, CancellationToken.None).ConfigureAwait(false);
            if (stored is null)
                throw;
            if (stored.ManifestSha256 != backup.ManifestSha256 || stored.UpdatedAt != backup.UpdatedAt || stored.Status != BackupStatus.Available)
                throw new BackupStateException($"Backup {backup.Id} was declared dead by a prune, or another of that id was made, before it was finished ({e.Error}); back up again.");
        }

        await CheckIntentAsync(backup).ConfigureAwait(false);
    }

    /// <summary>
    /// Whoever breaks an intent puts a record in the backup's place first, so a commit that came too late has failed already, unless all that is over
    /// and even that record is gone again. Then the data may be gone with it, or be another's.
    /// </summary>
    private async Task CheckIntentAsync(Backup backup)
    {
        if (await _intents.ExistsAsync(backup, CancellationToken.None).ConfigureAwait(false))
            return;
        await _records.DeleteRecordAsync(backup, CancellationToken.None).ConfigureAwait(false);
        throw new BackupStateException($"Backup {backup.Id} was declared dead by a prune, or taken over, while it was being written; back up again.");
    }

    /// <summary>The backup is committed: whatever the caller wants now, the intent must go, and when it cannot it only delays a delete.</summary>
    private async Task RemoveIntentAsync(Backup backup)
    {
        using var timeout = new CancellationTokenSource(_cleanUpTimeout, _time);
        try
        {
            await _intents.DeleteAsync(backup, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            _logger.CleanUpFailed(e, backup.Id);
        }
    }

    /// <summary>
    /// Removes what a backup that failed has stored, unless somebody declared it dead: then its packs may have an owner. As those do, this takes the place of its record
    /// first, so of them and this only one goes on.
    /// </summary>
    private async Task CleanUpAsync(Backup draft, IReadOnlyList<string> packKeys, IReadOnlyList<Intent> takenOver)
    {
        using var timeout = new CancellationTokenSource(_cleanUpTimeout, _time);
        try
        {
            Backup stone = draft with { Status = BackupStatus.Deleting, FailReason = "the backup failed", UpdatedAt = _time.GetUtcNow() };
            await _records.PutRecordAsync(stone, PutCondition.IfAbsent, timeout.Token).ConfigureAwait(false);

            // Theirs is gone after the intent is.
            if (await _intents.ExistsAsync(draft, timeout.Token).ConfigureAwait(false))
            {
                await _store.DeleteAsync([.. packKeys, draft.ManifestKey!], timeout.Token).ConfigureAwait(false);
                await BuryAsync(takenOver, null, timeout.Token).ConfigureAwait(false);
                await _intents.DeleteAsync(draft, timeout.Token).ConfigureAwait(false);
            }

            await _records.DeleteRecordAsync(draft, timeout.Token).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // Declared dead: whoever did that removes the rest.
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            _logger.CleanUpFailed(e, draft.Id);
        }
    }
}
