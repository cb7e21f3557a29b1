using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// Deletes a backup and all data that no other backup refers to. A delete that was cut off is finished by deleting again. Of one whose record cannot be read
    /// the record goes, and its data with the next prune: repair first.
    /// </summary>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupHasDependentsException">Incrementals descend from it, or one is being written. One in error may go before them: they do not need it to be restored.</exception>
    /// <exception cref="BackupStateException">It was repacked at the same moment, or a prune took this delete for dead; delete it again.</exception>
    /// <exception cref="CorruptionException">The record of another backup is damaged, so nobody knows what that needs.</exception>
    /// <exception cref="ObjectStoreException">The store failed; the backup may be left as <see cref="BackupStatus.Deleting"/>.</exception>
    public Task DeleteAsync(Guid backupId, CancellationToken cancellationToken = default) =>
        RunAsync("delete", operation => RunDeleteAsync(operation, backupId, cancellationToken));

    /// <returns>How many objects went.</returns>
    private async Task<int> RunDeleteAsync(Operation operation, Guid backupId, CancellationToken cancellationToken)
    {
        operation.Note("backup_engine.backup.id", backupId);
        Backup backup = await _records.FindRecordOrStubAsync(backupId, cancellationToken).ConfigureAwait(false) ?? throw NoSuchBackup(backupId);

        // For one that cannot be read less is asked: a single bad read must not make a sound one of those.
        if (backup.IsUnreadable)
            backup = await _records.FindRecordOrStubAsync(backupId, cancellationToken).ConfigureAwait(false) ?? throw NoSuchBackup(backupId);
        await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false);

        // Said first, and only then everything is looked at again: a writer does it the other way round, so at least one sees the other.
        // The record changes only when nothing can stop the delete any more, so nobody ever has to take that back.
        var token = Guid.NewGuid();
        using LocalWriters.Registration deleting = LocalWriters.Begin(token);
        string mark = await _intents.PutDeletionAsync(backup, token, cancellationToken).ConfigureAwait(false);
        try
        {
            IntentListing atWork = await _intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
            ThrowIfBeingUsed(backup, atWork);
            await RenewRepackedAsync(atWork, cancellationToken).ConfigureAwait(false);
            IEnumerable<Backup> imports = atWork.Intents.Where(other => other.IsImport && other.Backup.Id != backup.Id && !other.IsDead).Select(other => other.Backup);

            int? count;
            do
            {
                // What is being imported needs its packs like what is there.
                IReadOnlyList<Backup> others = [.. await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false), .. imports];
                if (!backup.IsUnreadable && await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false) is { } now && now.ManifestKey != backup.ManifestKey)
                    throw new BackupStateException($"Backup {backupId} was repacked as its deletion began; delete it again.");
                count = await DeleteDataAsync(backup, others, mark, cancellationToken).ConfigureAwait(false);
            }
            while (count is null);
            _logger.Deleted(backupId, count.Value);
            operation.Note("backup_engine.volume.id", backup.VolumeId);
            operation.Note("backup_engine.delete.objects", count);
            return count.Value;
        }
        finally
        {
            await RemoveDeletionAsync(backup, mark).ConfigureAwait(false);
        }
    }

    /// <returns>How many objects went; null when another backup went before it was looked what that refers to: then nothing did, and the others must be listed again.</returns>
    private async Task<int?> DeleteDataAsync(Backup backup, IReadOnlyList<Backup> others, string mark, CancellationToken cancellationToken)
    {
        if (await FindUnreferencedAsync(backup, others, cancellationToken).ConfigureAwait(false) is not { } packs)
            return null;

        // One that cannot be read stays as it was found, too: a sound record must not go for one that could not be read.
        Backup? deleting = await _records.ChangeRecordAsync(
            backup,
            now => now.IsUnreadable == backup.IsUnreadable && now.ManifestKey == backup.ManifestKey
                ? now with { Status = BackupStatus.Deleting, UpdatedAt = _time.GetUtcNow() }
                : throw new BackupStateException($"Backup {backup.Id} was changed as its deletion began; delete it again."),
            cancellationToken).ConfigureAwait(false);
        if (deleting is null)
            throw NoSuchBackup(backup.Id);
        await _intents.ThrowIfBrokenAsync([mark], cancellationToken).ConfigureAwait(false);

        // The manifest goes after the packs that it names, or a delete that was cut off could not be finished.
        await _store.DeleteAsync(packs, cancellationToken).ConfigureAwait(false);
        bool isShared = others.Any(other => other.ManifestKey == backup.ManifestKey);
        if (backup.ManifestKey is { } manifest && !isShared)
            await _store.DeleteAsync(manifest, cancellationToken).ConfigureAwait(false);

        // Its own intent, should one have been left, goes before the record: without that it could be taken over.
        await _intents.DeleteAsync(backup, cancellationToken).ConfigureAwait(false);
        await _records.DeleteRecordAsync(backup, cancellationToken).ConfigureAwait(false);
        return packs.Count + 1;
    }

    private async Task RemoveDeletionAsync(Backup backup, string mark)
    {
        using var timeout = new CancellationTokenSource(_cleanUpTimeout, _time);
        try
        {
            await _intents.DeleteDeletionsAsync([mark], timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            _logger.CleanUpFailed(e, backup.Id);
        }
    }

    private async Task<IReadOnlyList<Backup>> ThrowIfDependentsAsync(Backup backup, CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        // With one that cannot be read itself, no data goes that another could need.
        if (!backup.IsUnreadable)
            RecordStore.ThrowIfUnreadable(records.Where(other => other.Id != backup.Id));
        Guid[] dependents = [.. records.Where(other => other.ParentId == backup.Id).Select(other => other.Id)];
        return dependents.Length == 0 || backup.Status == BackupStatus.Error
            ? [.. records.Where(other => other.Id != backup.Id)]
            : throw new BackupHasDependentsException(
                backup.Id, dependents, $"Backup {backup.Id} cannot be deleted: incremental backups exist for it ({string.Join(", ", dependents.Take(3))}).");
    }

    private static void ThrowIfBeingUsed(Backup backup, IntentListing atWork)
    {
        if (atWork.Intents.FirstOrDefault(intent => !intent.IsDead && IsUnfinished(intent)) is { } writing)
            throw new BackupStateException($"Backup {backup.Id} was declared dead, and may still be being written ({writing}); when that process is gone, prune and break its intent.");
        if (atWork.Intents.FirstOrDefault(intent => !intent.IsDead && intent.Needs(backup) && !(backup.IsUnreadable && intent.Damage is not null)) is { } intent)
            throw new BackupHasDependentsException(backup.Id, [intent.Backup.Id], $"Backup {backup.Id} cannot be deleted: something is being made from it ({intent}).");

        // Declared dead, but nobody knows whether it is: only the record in its place keeps it from being committed.
        bool IsUnfinished(Intent intent) =>
            intent.Backup.Id == backup.Id && intent.Backup.VolumeId == backup.VolumeId && backup.Status is (BackupStatus.Deleting or BackupStatus.ErrorDeleting) && backup.FailReason != FailedText;
    }

    /// <summary>What a dead repack has stored goes with the backups that it has changed over, so it must not change over any more.</summary>
    private async Task RenewRepackedAsync(IntentListing atWork, CancellationToken cancellationToken)
    {
        Intent[] dead = [.. atWork.Intents.Where(intent => intent.IsRepack && intent.IsDead)];
        if (dead.Length == 0)
            return;
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        foreach (Backup repacked in records.Where(record => !record.IsUnreadable && dead.Any(repack => repack.MayReplace(record))))
            await _records.RenewRecordAsync(repacked, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The keys of all packs that go with a backup; null when the others must be listed again.</summary>
    private async Task<IReadOnlyList<string>?> FindUnreferencedAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        // Imported under another id, the same data is a second backup: it stays whole.
        if (backup.ManifestKey is not { } manifestKey || others.Any(other => other.ManifestKey == manifestKey))
            return [];

        Manifest manifest;
        try
        {
            manifest = await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            // Without its manifest nobody knows which packs of others it kept alive; those are left to prune.
            _logger.CleanUpFailed(e, backup.Id);
            return await FindOwnPacksAsync(backup, others, cancellationToken).ConfigureAwait(false);
        }

        HashSet<string> dataOfOthers = [.. others.Select(other => other.ManifestKey!).Where(key => key is not null)];
        PackId[] packs = [.. manifest.Packs.Packs.Select(pack => pack.Key).Where(IsOwnOrAbandoned)];

        // Packs of a backup that is gone, or was cut off and taken over, may be needed by any other of the chain: then all must be asked. So may those of one with dependents.
        bool isOnlyForDescendants = backup.Status != BackupStatus.Error && Array.TrueForAll(packs, pack => pack.BackupOrdinal == manifest.Ordinal);
        NeededPacks? kept = await ReadPacksAsync(isOnlyForDescendants ? SelectUnvouched(others) : others, manifest.VolumeId, cancellationToken).ConfigureAwait(false);
        return kept is null ? null : [.. packs.Select(manifest.GetPackKey).Where(key => !kept.Contains(key))];

        bool IsOwnOrAbandoned(PackId pack) =>
            !dataOfOthers.Contains(StoreKeys.Manifest(manifest.VolumeId, manifest.Backups[(int)pack.BackupOrdinal]));
    }

    /// <summary>The packs that a backup without a readable manifest wrote, but for those that any other refers to.</summary>
    private async Task<IReadOnlyList<string>?> FindOwnPacksAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        (string volumeId, Guid dataId) = IntentStore.DataOf(backup);
        if (await ReadPacksAsync(others, volumeId, cancellationToken).ConfigureAwait(false) is not { } kept)
            return null;
        var keys = new List<string>();
        await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(volumeId, dataId), cancellationToken).ConfigureAwait(false))
        {
            if (!kept.Contains(pack.Key))
                keys.Add(pack.Key);
        }

        return keys;
    }

    /// <summary>
    /// Those whose manifests tell what all need of the packs that a backup without dependents wrote itself. Whoever refers to them descends from it, through parents each
    /// of which refers to all that its child took over; up to one whose parent is gone or going, in error, or repacked, and so says nothing of what the child needs. And
    /// what is being imported has no such order.
    /// </summary>
    private static IEnumerable<Backup> SelectUnvouched(IReadOnlyList<Backup> others)
    {
        HashSet<Guid> vouching = [.. others.Where(other => other.Status == BackupStatus.Available && IntentStore.DataOf(other).Id == other.Id).Select(other => other.Id)];
        return others.Where(other => other.Status == BackupStatus.Creating || other.ParentId is not { } parent || !vouching.Contains(parent));
    }

    /// <summary>The packs that backups refer to whose data lies under a volume.</summary>
    /// <returns>Null when one was deleted or repacked after it was listed: it may have vouched for others, which have to be asked now.</returns>
    private async Task<NeededPacks?> ReadPacksAsync(IEnumerable<Backup> backups, string volumeId, CancellationToken cancellationToken)
    {
        var needed = new NeededPacks();
        foreach (Backup backup in backups.Where(other => other.ManifestKey is not null && IntentStore.DataOf(other).VolumeId == volumeId))
        {
            // Whoever is being deleted needs nothing any more, and what it needed may be gone already.
            if (backup.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting)
                continue;
            try
            {
                Manifest manifest = await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
                needed.Add(manifest.Packs.Packs.Select(pack => manifest.GetPackKey(pack.Key)));
            }
            catch (CorruptionException) when (backup.Status is BackupStatus.Creating)
            {
                // Somebody wants to import what is not there, and will be told.
            }
            catch (CorruptionException e)
            {
                if (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
                {
                    Backup? now = await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
                    if (now is null or { Status: BackupStatus.Deleting or BackupStatus.ErrorDeleting } || now.ManifestKey != backup.ManifestKey)
                        return null;
                }

                if (backup.Status != BackupStatus.Error)
                    throw;
                needed.MayBeAny();
            }
        }

        return needed;
    }

    /// <summary>Keys of packs that backups need; of those in error whose manifests cannot be read nobody knows which, and then it is any: what is left is prune's.</summary>
    private sealed class NeededPacks
    {
        private readonly HashSet<string> _keys = [];
        private bool _isAny;

        public void Add(IEnumerable<string> keys) => _keys.UnionWith(keys);

        public void MayBeAny() => _isAny = true;

        public bool Contains(string key) => _isAny || _keys.Contains(key);
    }
}
