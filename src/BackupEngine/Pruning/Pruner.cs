using BackupEngine.Catalog;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pruning;

/// <summary>
/// One prune (docs/reliability.md "Prune"). What there is is listed first, then this prune says what it is about to remove, and only then it looks at intents
/// and records again: whoever began before is seen there, and whoever begins later sees what was said here.
/// </summary>
/// <param name="store">The container. What is removed is removed past the gate: nothing may come between the last look and that.</param>
/// <param name="gate">Where all reading waits.</param>
/// <param name="records">The records in the container.</param>
/// <param name="intents">The intents in the container.</param>
/// <param name="options">What to keep.</param>
/// <param name="time">The clock.</param>
internal sealed class Pruner(IObjectStore store, OperationGate gate, RecordStore records, IntentStore intents, PruneOptions options, TimeProvider time)
{
    private readonly List<string> _kept = [];
    private readonly IObjectStore _gated = gate.Guard(store);

    /// <summary>This prune's own name in its marks.</summary>
    private readonly Guid _token = Guid.NewGuid();

    public async Task<PruneReport> RunAsync(CancellationToken cancellationToken)
    {
        using LocalWriters.Registration deleting = LocalWriters.Begin(_token);
        StoredData data = await StoredData.ListAsync(_gated, options.VolumeId, cancellationToken).ConfigureAwait(false);
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> backups = await ListRecordsAsync(cancellationToken).ConfigureAwait(false);
        var breaking = new IntentBreaker(store, records, intents, options, time);
        await breaking.SelectAsync(atWork, cancellationToken).ConfigureAwait(false);
        List<Backup> candidates = [.. SelectCandidates(backups)];
        List<Backup> abandoned = [.. SelectAbandoned(data, backups, atWork)];

        List<string> marks = [];
        try
        {
            if (!options.DryRun)
            {
                foreach (Backup candidate in candidates.Concat(abandoned))
                    marks.Add(await intents.PutDeletionAsync(candidate, _token, cancellationToken).ConfigureAwait(false));
                await breaking.BuryAsync(backups, cancellationToken).ConfigureAwait(false);
            }

            return await RemoveAsync(data, candidates, abandoned, breaking, marks, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await RemoveMarksAsync(marks).ConfigureAwait(false);
        }
    }

    private async Task<PruneReport> RemoveAsync(
        StoredData data, List<Backup> candidates, List<Backup> abandoned, IntentBreaker breaking, List<string> marks, CancellationToken cancellationToken)
    {
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        Intent[] working = [.. atWork.Intents.Where(intent => !breaking.IsBroken(intent))];
        if (working.FirstOrDefault(intent => intent.Damage is not null) is { } unreadable)
        {
            throw new CorruptionException(
                StoreKeys.Intent(unreadable.Backup.VolumeId, unreadable.Backup.Id), null, $"the intent cannot be read, so nobody knows what it needs; break it when its writer is dead ({unreadable.Damage})");
        }

        IReadOnlyList<Backup> backups = await ListRecordsAsync(cancellationToken).ConfigureAwait(false);
        Backup[] removed = [.. SelectRemoved(candidates, backups, working).Concat(breaking.SelectBuried(backups, working)).DistinctBy(backup => (backup.VolumeId, backup.Id))];
        HashSet<(string, Guid)> removedKeys = [.. removed.Select(backup => (backup.VolumeId, backup.Id))];
        Backup[] live = [.. backups.Where(backup => !removedKeys.Contains((backup.VolumeId, backup.Id)))];

        // An import needs what its manifest names before its record is there.
        IEnumerable<Backup> imports = working.Where(intent => intent.IsImport).Select(intent => intent.Backup);
        await new LiveReferences(_gated, records, data, _kept).SubtractAsync(live.Concat(imports), cancellationToken).ConfigureAwait(false);
        Protect(data, working, live, [.. removed, .. abandoned]);
        if (!options.DryRun)
        {
            Backup[] left = await LookAgainAsync(removed, candidates, breaking, marks, cancellationToken).ConfigureAwait(false);
            await DeleteAsync(data, left, breaking, marks, cancellationToken).ConfigureAwait(false);
        }

        return new PruneReport
        {
            DryRun = options.DryRun,
            BackupsRemoved = [.. removed.Where(backup => !breaking.IsBuried(backup)).Select(backup => backup.Id)],
            BackupsKept = live.Length,
            ManifestsRemoved = data.Volumes.Values.Sum(volume => (long)volume.Manifests.Count),
            PacksRemoved = data.Volumes.Values.Sum(volume => (long)volume.Packs.Count),
            BytesRemoved = data.Volumes.Values.Sum(volume => volume.Manifests.Values.Sum() + volume.Packs.Values.Sum()),
            IntentsRemoved = breaking.Describe(),
            IntentsLeft = [.. working.Select(IntentBreaker.Describe)],
            Kept = _kept,
        };
    }

    private async Task<IReadOnlyList<Backup>> ListRecordsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> backups = await records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        RecordStore.ThrowIfUnreadable(backups);
        return backups;
    }

    /// <summary>Backups that no rule keeps, and those whose deletion was begun.</summary>
    private IEnumerable<Backup> SelectCandidates(IReadOnlyList<Backup> backups)
    {
        IEnumerable<Backup> inScope = backups.Where(backup => options.VolumeId is null || backup.VolumeId == options.VolumeId);
        return RetentionPolicy.SelectRemoved(inScope, options)
            .Concat(inScope.Where(backup => backup.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting));
    }

    /// <summary>Stands for each manifest that no record names: an import could still name it, so that it is to be removed is said as of a backup. It is none: a record that names it later keeps it.</summary>
    private static IEnumerable<Backup> SelectAbandoned(StoredData data, IReadOnlyList<Backup> backups, IntentListing atWork)
    {
        HashSet<string> named = [.. backups.Concat(atWork.Intents.Select(intent => intent.Backup)).Select(backup => backup.ManifestKey!).Where(key => key is not null)];
        return data.Volumes
            .SelectMany(volume => volume.Value.Manifests.Keys.Select(id => (VolumeId: volume.Key, Id: id, Key: StoreKeys.Manifest(volume.Key, id))))
            .Where(manifest => !named.Contains(manifest.Key))
            .Select(manifest => RecordStore.CreateStub(manifest.VolumeId, manifest.Id, BackupStatus.Deleting, null) with { ManifestKey = manifest.Key });
    }

    /// <summary>Those of the candidates that nobody has begun to use before it was said that they are to be removed.</summary>
    private IEnumerable<Backup> SelectRemoved(List<Backup> candidates, IReadOnlyList<Backup> backups, Intent[] working)
    {
        foreach (Backup candidate in candidates)
        {
            if (working.FirstOrDefault(intent => intent.Needs(candidate) || intent.Backup.Id == candidate.Id) is { } user)
                _kept.Add($"backup {candidate.Id}, because of {user}");
            else if (backups.FirstOrDefault(backup => backup.VolumeId == candidate.VolumeId && backup.Id == candidate.Id && backup.ManifestKey == candidate.ManifestKey) is { } record)
                yield return record;
        }
    }

    /// <summary>Takes out what those at work have written or hold on to, and manifests that were not said to be removed.</summary>
    private static void Protect(StoredData data, Intent[] working, Backup[] live, Backup[] removed)
    {
        HashSet<Guid> owners = [.. working.SelectMany(intent => intent.DataIds)];
        // Also of those said to be removed, what has come to be named since then stays.
        HashSet<string> named = [.. live.Concat(working.Select(intent => intent.Backup)).Select(backup => backup.ManifestKey!).Where(key => key is not null)];
        HashSet<string> said = [.. removed.Select(backup => backup.ManifestKey!).Where(key => key is not null)];
        foreach ((string volumeId, VolumeData volume) in data.Volumes)
        {
            foreach (Guid id in volume.Manifests.Keys.Where(id => owners.Contains(id) || named.Contains(StoreKeys.Manifest(volumeId, id)) || !said.Contains(StoreKeys.Manifest(volumeId, id))).ToArray())
            {
                // Whatever a manifest that stays may refer to stays, too; the next prune knows more.
                owners.Add(id);
                volume.Manifests.Remove(id);
            }

            foreach (StoredPack pack in volume.Packs.Keys.Where(pack => owners.Contains(pack.BackupId)).ToArray())
                volume.Packs.Remove(pack);
        }
    }

    /// <summary>
    /// The reading takes its time, and may have been paused: what is to be removed must still be as it was, and the rules must not have come to need it. Records say
    /// "deleting" only after that, for nobody takes that back.
    /// </summary>
    /// <returns>The records of what is to be removed, as they are now; some may be gone already.</returns>
    /// <exception cref="BackupStateException">Something changed.</exception>
    private async Task<Backup[]> LookAgainAsync(Backup[] removed, List<Backup> candidates, IntentBreaker breaking, List<string> marks, CancellationToken cancellationToken)
    {
        await intents.ThrowIfBrokenAsync(marks, cancellationToken).ConfigureAwait(false);
        await breaking.ThrowIfBegunAgainAsync(cancellationToken).ConfigureAwait(false);
        if (removed.Length == 0)
            return removed;
        IReadOnlyList<Backup> now = await ListRecordsAsync(cancellationToken).ConfigureAwait(false);
        ILookup<(string, Guid), Backup> before = removed.ToLookup(backup => (backup.VolumeId, backup.Id));
        Backup[] left = [.. now.Where(backup => before.Contains((backup.VolumeId, backup.Id)))];
        HashSet<Backup> selected = [.. SelectCandidates(now)];
        foreach (Backup backup in left)
        {
            Backup was = before[(backup.VolumeId, backup.Id)].First();
            if (IsChanged(was, backup) || (candidates.Exists(candidate => candidate.Id == backup.Id && candidate.VolumeId == backup.VolumeId) && !selected.Contains(backup)))
                throw Changed(backup);
        }

        return left;
    }

    private static bool IsChanged(Backup was, Backup now) => now.ManifestKey != was.ManifestKey || (now.Status != was.Status && now.Status != BackupStatus.Deleting);

    private static BackupStateException Changed(Backup backup) =>
        new($"Backup {backup.Id} of volume {backup.VolumeId} was changed, or has come to be kept by a rule, while this prune looked at what others need; no data was removed. Prune again.");

    /// <summary>Manifests go first: what has none cannot be imported. Records go after all data, so that a prune that is cut off is finished by the next.</summary>
    private async Task DeleteAsync(StoredData data, Backup[] removed, IntentBreaker breaking, List<string> marks, CancellationToken cancellationToken)
    {
        foreach (Backup backup in removed.Where(backup => backup.Status is not BackupStatus.Deleting))
        {
            await records.ChangeRecordAsync(
                backup, now => IsChanged(backup, now) ? throw Changed(now) : now with { Status = BackupStatus.Deleting, UpdatedAt = time.GetUtcNow() }, cancellationToken).ConfigureAwait(false);
        }

        await intents.ThrowIfBrokenAsync(marks, cancellationToken).ConfigureAwait(false);
        string[] manifests = [.. data.Volumes.SelectMany(volume => volume.Value.Manifests.Keys.Select(id => StoreKeys.Manifest(volume.Key, id)))];
        await store.DeleteAsync(manifests, cancellationToken).ConfigureAwait(false);
        foreach ((string volumeId, VolumeData volume) in data.Volumes)
        {
            string[] packs = [.. volume.Packs.Keys.Select(pack => StoreKeys.Pack(volumeId, pack.BackupId, pack.Sequence))];
            await store.DeleteAsync(packs, cancellationToken).ConfigureAwait(false);
        }

        // Intents before the stones that stand for them: one without a stone could be taken over, although its packs may have an owner by now.
        await store.DeleteAsync(breaking.Keys, cancellationToken).ConfigureAwait(false);
        await store.DeleteAsync([.. removed.Select(backup => StoreKeys.Record(backup.VolumeId, backup.Id))], cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveMarksAsync(List<string> marks)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), time);
        try
        {
            await intents.DeleteDeletionsAsync(marks, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BackupEngineException or OperationCanceledException)
        {
            // They hold others up only as long as this process lives; the next prune removes them.
            _kept.Add($"{marks.Count} marks of this prune ({e.Message})");
        }
    }
}
