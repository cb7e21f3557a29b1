using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Pruning;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// The last backup of the volume that was cut off, and those that it had taken over itself. Found only: they are this one's when <see cref="TakeOverAsync"/> says so.
    /// </summary>
    private async Task<IReadOnlyList<Intent>> FindCutOffAsync(BackupOptions options, Backup draft, CancellationToken cancellationToken)
    {
        if (!options.Resume && options.ResumeId is null)
            return [];

        // Only a tombstone that is put on a condition keeps the writer of an interrupted backup from committing what is adopted here.
        if (await FindLackingAsync(cancellationToken).ConfigureAwait(false) is { } lacking)
            return options.ResumeId is null ? [] : throw UnsupportedObjectStoreException.ForOperation("Resuming a backup", lacking);
        (string dataVolumeId, _) = IntentStore.DataOf(draft);
        IntentListing listing = await _intents.ListAsync(draft.VolumeId, cancellationToken).ConfigureAwait(false);

        // The store's time is asked for only when there is an intent whose age matters.
        if (options.ResumeId is null && listing.Intents.Any(intent => !intent.IsDead))
            listing = _intents.WithTime(listing, await StoreClock.ReadAsync(_store, _intents, _time, cancellationToken).ConfigureAwait(false));

        // One that another adopts is not the last, whatever the times say.
        // An import stores nothing; and what a repack stored may have come into use already.
        Intent[] usable =
        [
            .. listing.Intents.Where(intent => intent.Damage is null && !intent.IsRepack && !intent.IsImport && intent.Backup.Id != draft.Id
                && IntentStore.DataOf(intent.Backup).VolumeId == dataVolumeId && intent.Backup.ChunkSize == draft.ChunkSize),
        ];
        Intent? last = options.ResumeId is { } id
            ? Array.Find(usable, intent => intent.Backup.Id == id)
                ?? throw new BackupNotFoundException($"There is no backup {id} of volume {draft.VolumeId} in {Name} that was cut off and could be resumed.")
            : usable.Where(intent => intent.IsDead && !usable.Any(other => other.Resumes.Contains(intent.Backup.Id))).MaxBy(intent => intent.StoredAt);
        return last is null ? [] : [.. last.Resumes.Select(earlier => CreateIntent(last, earlier)), last];

        static Intent CreateIntent(Intent last, Guid earlier) => new()
        {
            Backup = last.Backup with { Id = earlier, ManifestKey = StoreKeys.Manifest(IntentStore.DataOf(last.Backup).VolumeId, earlier) },
        };
    }

    /// <summary>
    /// Makes backups that were cut off this one's alone. A record in the place of each says so: only one can put it there, and the writer that was there before can no
    /// longer commit. This backup's intent names them already, so that no prune takes them away.
    /// </summary>
    private async Task<IReadOnlyList<Intent>> TakeOverAsync(Backup draft, IReadOnlyList<Intent> cutOff, CancellationToken cancellationToken)
    {
        if (cutOff is not [.., Intent last] || !await TryTakeOverAsync(draft, last, null, cancellationToken).ConfigureAwait(false))
            return [];

        // A writer that lives, and cleans up in a store that is full, removes its intent first. The tombstone stays: it tells the next prune what may go, should that not be done.
        if (!await _intents.ExistsAsync(last.Backup, cancellationToken).ConfigureAwait(false))
            return [];

        List<Intent> taken = [];
        foreach (Intent earlier in cutOff.SkipLast(1))
        {
            // Of a stone that is there already, a delete may have begun before it could see this backup's intent.
            if (await TryTakeOverAsync(draft, earlier, last.Backup.Id, cancellationToken).ConfigureAwait(false)
                && await _intents.FindDeletionAsync(earlier.Backup, StoreKeys.Intent(draft.VolumeId, draft.Id), cancellationToken).ConfigureAwait(false) is null)
                taken.Add(earlier);
        }

        taken.Add(last);
        _logger.Resumed(draft.Id, last.Backup.Id);
        return taken;
    }

    private async Task<bool> TryTakeOverAsync(Backup draft, Intent cutOff, Guid? heir, CancellationToken cancellationToken)
    {
        Backup stone = cutOff.Backup with
        {
            Status = BackupStatus.Deleting,
            StateReason = BackupStateReason.Adopted,
            AdoptedBy = draft.Id,
            FailReason = $"interrupted, and adopted by backup {draft.Id}",
            UpdatedAt = _time.GetUtcNow(),
        };
        try
        {
            await _records.AddTombstoneAsync(stone, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // Taken by the one that is being taken now, it is handed on.
            return heir is { } id && await _records.ChangeRecordAsync(
                stone, there => there.Status == BackupStatus.Deleting && there.GetAdopter() == id ? stone : null, cancellationToken).ConfigureAwait(false) is not null;
        }
    }

    /// <summary>Removes what is left of backups that were taken over; when that cannot be done now, prune does it.</summary>
    private async Task BuryTakenOverAsync(IReadOnlyList<Intent> takenOver, Manifest manifest)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        try
        {
            await BuryAsync(takenOver, manifest, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _logger.CleanUpFailed(e, manifest.BackupId);
        }
    }

    private async Task BuryAsync(IReadOnlyList<Intent> takenOver, Manifest? heir, CancellationToken cancellationToken)
    {
        HashSet<string> kept = heir is null ? [] : [.. heir.Packs.Packs.Select(pack => heir.GetPackKey(pack.Key))];
        foreach (Backup backup in takenOver.Select(intent => intent.Backup))
        {
            (string dataVolumeId, Guid dataId) = IntentStore.DataOf(backup);
            List<string> keys = [backup.ManifestKey!];
            await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(dataVolumeId, dataId), cancellationToken).ConfigureAwait(false))
            {
                if (!kept.Contains(pack.Key))
                    keys.Add(pack.Key);
            }

            // The stone goes last: an intent without it could be taken over once more, although its packs have an owner.
            await _store.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
            await _intents.DeleteAsync(backup, cancellationToken).ConfigureAwait(false);
            await _records.DeleteRecordAsync(backup, cancellationToken).ConfigureAwait(false);
        }
    }
}
