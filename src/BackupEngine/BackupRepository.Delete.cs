using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Pruning;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>How often a delete lists the records before it fails because one is still not shown.</summary>
    private const int MaxListings = 10;

    /// <summary>
    /// Deletes a backup and all data that no other backup refers to. A delete that was cut off is finished by deleting again. Of a backup whose record cannot be read, and
    /// where it cannot be told what others need, the record stays as <see cref="BackupStatus.Deleting"/>, and the next prune removes the data that the backup wrote itself.
    /// </summary>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupHasDependentsException">Incrementals descend from it, or one is being written. One in error may go before them: they do not need it to be restored.</exception>
    /// <exception cref="BackupStateException">It was repacked at the same moment, or a prune took this delete for dead; delete it again.</exception>
    /// <exception cref="CorruptionException">The record of another backup is damaged, so nobody knows what that needs.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditional puts, and single-writer mode was not chosen or something else is active.</exception>
    /// <exception cref="ObjectStoreException">The store failed; the backup may be left as <see cref="BackupStatus.Deleting"/>.</exception>
    public Task DeleteAsync(Guid backupId, CancellationToken cancellationToken = default) =>
        RunAsync("delete", operation => RunDeleteAsync(operation, backupId, cancellationToken));

    /// <returns>How many objects went.</returns>
    private async Task<int> RunDeleteAsync(Operation operation, Guid backupId, CancellationToken cancellationToken)
    {
        operation.Note("backup_engine.backup.id", backupId);
        await RequireAloneAsync("A delete", cancellationToken).ConfigureAwait(false);
        Backup backup = await _records.FindRecordOrStubAsync(backupId, cancellationToken).ConfigureAwait(false) ?? throw NoSuchBackup(backupId);

        // For one that cannot be read less is asked: a single bad read must not make a sound one of those.
        if (backup.IsUnreadable)
            backup = await _records.FindRecordOrStubAsync(backupId, cancellationToken).ConfigureAwait(false) ?? throw NoSuchBackup(backupId);
        NewerRecord.ThrowIf(backup);
        await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false);

        // Said first, and only then everything is looked at again: a writer does it the other way round, so at least one sees the other.
        // The record changes only when nothing can stop the delete any more, so nobody ever has to take that back.
        var token = Guid.NewGuid();
        using LocalWriters.Registration deleting = _intents.Writers.Begin(token);
        await using IntentRefresher refresher = CreateRefresher($"The delete of backup {backupId}", cancellationToken);
        cancellationToken = refresher.Token;
        string mark = await _intents.PutDeletionAsync(backup, token, cancellationToken, refresher).ConfigureAwait(false);
        try
        {
            IntentListing atWork = await _intents.ListAsync(null, mark, cancellationToken).ConfigureAwait(false);
            ThrowIfBeingUsed(backup, atWork);
            await ReapUsersAsync(backup, atWork, cancellationToken).ConfigureAwait(false);
            await RenewRepackedAsync(atWork, cancellationToken).ConfigureAwait(false);
            IEnumerable<Backup> imports = atWork.Intents.Where(other => other.IsImport && other.Backup.Id != backup.Id && !other.IsDead).Select(other => other.Backup);

            int? count = null;
            int listings = 0;
            do
            {
                // What is being imported needs its packs like what is there; and so does a manifest without a record, which a repair could bring back.
                IReadOnlyList<Backup> others = [.. await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false), .. imports];
                if (!backup.IsUnreadable && await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false) is { } now && now.ManifestKey != backup.ManifestKey)
                    throw new BackupStateException($"Backup {backupId} was repacked as its deletion began; delete it again.");
                (IReadOnlyList<UnnamedManifest> unnamed, Backup? missed) = await FindUnnamedAsync(backup, others, atWork, cancellationToken).ConfigureAwait(false);
                if (missed is null)
                    count = await DeleteDataAsync(backup, others, unnamed, mark, refresher, cancellationToken).ConfigureAwait(false);
                if (count is null && ++listings == MaxListings)
                    throw new BackupStateException($"Backup {backupId} cannot be deleted while other backups of its volume change again and again; delete it again later.");
            }
            while (count is null);
            _logger.Deleted(backupId, count.Value);
            operation.Note("backup_engine.volume.id", backup.VolumeId);
            operation.Note("backup_engine.delete.objects", count);
            return count.Value;
        }
        catch (OperationCanceledException) when (refresher.Failure is not null)
        {
            throw refresher.Failure;
        }
        finally
        {
            await RemoveDeletionAsync(backup, mark).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Returns the manifests of the volume that nothing names. Those of writers and repacks that have exited belong to the next prune, which removes them with what they refer to.
    /// </summary>
    /// <returns>The manifests; and a record that is not among the others, because the backup was committed, or the record replaced, since they were listed.</returns>
    private async Task<(IReadOnlyList<UnnamedManifest> Manifests, Backup? Missed)> FindUnnamedAsync(Backup backup, IReadOnlyList<Backup> others, IntentListing atWork, CancellationToken cancellationToken)
    {
        if (backup.ManifestKey is null)
            return ([], null);
        string volumeId = IntentStore.DataOf(backup).VolumeId;
        List<(string, Guid)> manifests = [];
        await foreach (ObjectInfo info in _store.ListAsync(StoreKeys.ManifestsOf(volumeId), cancellationToken).ConfigureAwait(false))
        {
            if (StoreKeys.TryParseManifest(info.Key, out string volume, out Guid id))
                manifests.Add((volume, id));
        }

        (List<UnnamedManifest> unnamed, List<Backup> missed) = await UnnamedManifest.FindAsync(_store, _records, manifests, [backup, .. others], [.. atWork.Intents.Where(IsNaming)], cancellationToken).ConfigureAwait(false);
        return (unnamed, missed.FirstOrDefault());
    }

    /// <returns>How many objects went; null when another backup went before it was looked what that refers to: then nothing did, and the others must be listed again.</returns>
    private async Task<int?> DeleteDataAsync(Backup backup, IReadOnlyList<Backup> others, IReadOnlyList<UnnamedManifest> unnamed, string mark, IntentRefresher refresher, CancellationToken cancellationToken)
    {
        if (await FindUnreferencedAsync(backup, others, unnamed, cancellationToken).ConfigureAwait(false) is not { } going)
            return null;

        // Once the record says "deleting", no writer builds on the backup, however old the mark gets.
        await refresher.StopAsync(cancellationToken).ConfigureAwait(false);

        // One that cannot be read stays as it was found, too: a sound record must not go for one that could not be read.
        Backup? deleting = await _records.ChangeRecordAsync(
            backup,
            now => now.IsUnreadable == backup.IsUnreadable && now.ManifestKey == backup.ManifestKey
                ? now with { Status = BackupStatus.Deleting, ManifestKey = going.ManifestKey ?? now.ManifestKey, UpdatedAt = _time.GetUtcNow() }
                : throw new BackupStateException($"Backup {backup.Id} was changed as its deletion began; delete it again."),
            cancellationToken).ConfigureAwait(false);
        if (deleting is null)
            throw NoSuchBackup(backup.Id);
        await _intents.ThrowIfBrokenAsync([mark], cancellationToken).ConfigureAwait(false);

        // The manifests go after the packs that they name, or a delete that was cut off could not be finished.
        await _store.DeleteAsync(going.Packs, cancellationToken).ConfigureAwait(false);
        await _store.DeleteAsync(going.Manifests, cancellationToken).ConfigureAwait(false);

        // Its own intent, should one have been left, goes before the record: without that it could be taken over.
        await _intents.DeleteAsync(backup, cancellationToken).ConfigureAwait(false);

        // The record says what else may go, where that could not be told now.
        if (going.IsComplete)
            await _records.DeleteRecordAsync(backup, cancellationToken).ConfigureAwait(false);
        return going.Packs.Count + 1;
    }

    /// <summary>Gets a value that indicates whether what an intent names is its own: stale imports and repacks are left to prune, and what they name is like any other manifest.</summary>
    private static bool IsNaming(Intent intent) => !(intent.IsDead && (intent.IsImport || intent.IsRepack));

    private async Task RemoveDeletionAsync(Backup backup, string mark)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(_cleanUpTimeout, _time);
        try
        {
            await _intents.DeleteDeletionsAsync([mark], timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
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
        if (atWork.Intents.FirstOrDefault(intent => !intent.HasExited && IsUnfinished(intent)) is { } writing)
            throw new BackupStateException($"Backup {backup.Id} was declared dead, and may still be being written ({writing}); prune removes it when its intent is stale.");
        if (atWork.Intents.FirstOrDefault(intent => !intent.IsDead && intent.Needs(backup) && !(backup.IsUnreadable && intent.Damage is not null)) is { } intent)
            throw new BackupHasDependentsException(backup.Id, [intent.Backup.Id], $"Backup {backup.Id} cannot be deleted: something is being made from it ({intent}).");

        // Declared dead, but nobody knows whether it is: only the record in its place keeps it from being committed.
        bool IsUnfinished(Intent intent) =>
            intent.Backup.Id == backup.Id && intent.Backup.VolumeId == backup.VolumeId && backup.IsGoing() && !backup.IsWriterFailed();
    }

    /// <summary>
    /// Writes a tombstone record in the place of every backup that is made from this one and whose writer has exited or is stale. A writer that is active after all can then not
    /// commit. A tombstone has no parent, so it does not block this delete; the next prune removes it with what the writer stored. What an import names may refer to any pack of its
    /// volume, so all stale imports of the volume are treated in this way.
    /// </summary>
    private async Task ReapUsersAsync(Backup backup, IntentListing atWork, CancellationToken cancellationToken)
    {
        string volumeId = IntentStore.DataOf(backup).VolumeId;
        foreach (Intent intent in atWork.Intents.Where(intent => intent.IsDead && intent.Backup.Id != backup.Id && (intent.Needs(backup) || IsImportOfVolume(intent))))
        {
            try
            {
                await _records.AddTombstoneAsync(
                    IntentBreaker.CreateTombstone(intent, "the backup was interrupted, and what it was made from is deleted", _time) with { ParentId = null }, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
            {
                // Committed after all, which the records tell; or a tombstone is there.
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.OutOfSpace && intent.HasExited)
            {
                // A delete must make room also in a full store, and this process does not commit.
            }
        }

        bool IsImportOfVolume(Intent intent) => intent.IsImport && IntentStore.DataOf(intent.Backup).VolumeId == volumeId;
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

    /// <summary>Finds all objects that go with a backup; null when the others must be listed again.</summary>
    private async Task<DeletedData?> FindUnreferencedAsync(Backup backup, IReadOnlyList<Backup> others, IReadOnlyList<UnnamedManifest> unnamed, CancellationToken cancellationToken)
    {
        if (backup.IsUnreadable)
            return await FindOwnOfUnreadableAsync(backup, others, cancellationToken).ConfigureAwait(false);

        // Imported under another id, the same data is a second backup: it stays whole.
        if (backup.ManifestKey is not { } manifestKey || others.Any(other => other.ManifestKey == manifestKey))
            return new DeletedData([], []);

        Manifest manifest;
        try
        {
            manifest = await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            // Without its manifest nobody knows which packs of others it kept alive.
            _logger.CleanUpFailed(e, backup.Id);
            return await FindOwnPacksAsync(backup, [.. others, .. unnamed.Select(other => other.ToBackup(BackupStatus.Error))], cancellationToken).ConfigureAwait(false);
        }

        // What a repack of this very backup has replaced goes with it: without its record nothing would tell that it may.
        UnnamedManifest[] replaced = [.. unnamed.Where(other => other.OwnerId == manifest.Backups[^1])];
        Backup[] kept = [.. others, .. unnamed.Except(replaced).Select(other => other.ToBackup(BackupStatus.Error))];
        HashSet<string> dataOfOthers = [.. kept.Select(other => other.ManifestKey!).Where(key => key is not null)];
        PackId[] packs = [.. manifest.Packs.Packs.Select(pack => pack.Key).Where(pack => IsOwnOrAbandoned(manifest, pack))];
        List<string> keys = [.. packs.Select(manifest.GetPackKey)];
        foreach (UnnamedManifest other in replaced)
        {
            Manifest old = await _store.ReadManifestAsync(other.ToBackup(BackupStatus.Error), cancellationToken).ConfigureAwait(false);
            keys.AddRange(old.Packs.Packs.Select(pack => pack.Key).Where(pack => IsOwnOrAbandoned(old, pack)).Select(old.GetPackKey));
        }

        // Packs of a backup that is gone, or was cut off and taken over, may be needed by any other of the chain: then all must be asked. So may those of one with dependents.
        bool isOnlyForDescendants = backup.Status != BackupStatus.Error && kept.Length == others.Count && replaced.Length == 0 && Array.TrueForAll(packs, pack => pack.BackupOrdinal == manifest.Ordinal);
        Guid? ownData = backup.Status == BackupStatus.Available ? manifest.BackupId : null;
        NeededPacks? needed = await ReadPacksAsync(isOnlyForDescendants ? SelectUnvouched(others) : kept, manifest.VolumeId, cancellationToken, ownData).ConfigureAwait(false);
        if (needed is null)
            return null;
        string[] going = [.. keys.Distinct().Where(key => !needed.Contains(key))];

        // Where packs stay that nothing is known to need, the manifests stay, too: they are the evidence that a later prune needs for those packs.
        return needed.IsAny || keys.Exists(needed.IsSuspected)
            ? new DeletedData(going, []) { IsComplete = false }
            : new DeletedData(going, [.. replaced.Select(other => other.Key), manifestKey]);

        bool IsOwnOrAbandoned(Manifest named, PackId pack) => !dataOfOthers.Contains(StoreKeys.Manifest(named.VolumeId, named.Backups[(int)pack.BackupOrdinal]));
    }

    /// <summary>The packs that a backup without a readable manifest wrote, but for those that any other refers to.</summary>
    private async Task<DeletedData?> FindOwnPacksAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        (string volumeId, Guid dataId) = IntentStore.DataOf(backup);
        if (await ReadPacksAsync(others, volumeId, cancellationToken).ConfigureAwait(false) is not { } kept)
            return null;
        List<string> own = await ListOwnPacksAsync(volumeId, dataId, cancellationToken).ConfigureAwait(false);
        return new DeletedData([.. own.Where(key => !kept.Contains(key))], [backup.ManifestKey!]) { IsComplete = !kept.IsAny };
    }

    /// <summary>
    /// Of a backup whose record cannot be read only the id is known, and other records may be unreadable, too. So nothing is removed now: a tombstone takes the place of the
    /// record, and a prune, which knows what all others need, removes what was stored under that id.
    /// </summary>
    private async Task<DeletedData> FindOwnOfUnreadableAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Manifest(backup.VolumeId, backup.Id);
        bool isNamed = others.Any(other => other.ManifestKey == key);
        bool hasManifest = !isNamed && await _store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is not null;
        bool hasPacks = !isNamed && (await ListOwnPacksAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false)).Count > 0;
        return new DeletedData([], []) { ManifestKey = hasManifest ? key : null, IsComplete = !hasManifest && !hasPacks };
    }

    private async Task<List<string>> ListOwnPacksAsync(string volumeId, Guid dataId, CancellationToken cancellationToken)
    {
        List<string> keys = [];
        await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(volumeId, dataId), cancellationToken).ConfigureAwait(false))
            keys.Add(pack.Key);
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
    /// <param name="ownData">The data id of an available backup that is being deleted; null when what is asked about may have been adopted by another backup.</param>
    /// <returns>Null when one was deleted or repacked after it was listed: it may have vouched for others, which have to be asked now.</returns>
    private async Task<NeededPacks?> ReadPacksAsync(IEnumerable<Backup> backups, string volumeId, CancellationToken cancellationToken, Guid? ownData = null)
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
                    _logger.PacksKept(e, backup.Id, backup.VolumeId);

                // A full backup that was not repacked refers to its own packs and to those of interrupted backups only: never to those of another available backup.
                if (ownData is { } id && backup is { Status: BackupStatus.Available, ParentId: null } && IntentStore.DataOf(backup).Id == backup.Id)
                    needed.MayBeAnyButOf(id);
                else
                    needed.MayBeAny();
            }
        }

        return needed;
    }

    /// <summary>What goes with a backup.</summary>
    /// <param name="Packs">Keys of packs that nothing else refers to.</param>
    /// <param name="Manifests">Keys of manifests.</param>
    private sealed record DeletedData(IReadOnlyList<string> Packs, IReadOnlyList<string> Manifests)
    {
        /// <summary>Whether this is all that may go with the backup; else its record stays, and a prune removes the rest.</summary>
        public bool IsComplete { get; init; } = true;

        /// <summary>The manifest that the tombstone of an unreadable record names.</summary>
        public string? ManifestKey { get; init; }
    }

    /// <summary>Keys of packs that backups need. Of backups whose manifests cannot be read that is not known, and then it may be any pack: a prune removes what is left.</summary>
    private sealed class NeededPacks
    {
        private readonly HashSet<string> _keys = [];
        private Guid? _free;

        /// <summary>Whether any pack may be needed.</summary>
        public bool IsAny { get; private set; }

        public void Add(IEnumerable<string> keys) => _keys.UnionWith(keys);

        public void MayBeAny() => IsAny = true;

        /// <summary>Any pack may be needed, except those that one backup stored.</summary>
        public void MayBeAnyButOf(Guid dataId) => _free = dataId;

        public bool Contains(string key) => _keys.Contains(key) || IsSuspected(key);

        /// <summary>Gets a value that indicates whether a pack is kept only because a manifest that cannot be read may refer to it.</summary>
        public bool IsSuspected(string key) =>
            !_keys.Contains(key) && (IsAny || (_free is { } free && !(StoreKeys.TryParsePack(key, out _, out Guid dataId, out _) && dataId == free)));
    }
}
