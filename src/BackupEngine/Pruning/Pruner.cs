using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.Manifests;
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
/// <param name="refresher">Keeps this prune's marks fresh.</param>
internal sealed class Pruner(IObjectStore store, OperationGate gate, RecordStore records, IntentStore intents, PruneOptions options, TimeProvider time, IntentRefresher refresher)
{
    private readonly List<string> _kept = [];
    private readonly IObjectStore _gated = gate.Guard(store);

    /// <summary>This prune's own name in its marks.</summary>
    private readonly Guid _token = Guid.NewGuid();

    /// <summary>The store's time when this prune began: what rules count as now, and by which the age of unreferenced data is told.</summary>
    private DateTimeOffset _now;

    public async Task<PruneReport> RunAsync(CancellationToken cancellationToken)
    {
        using LocalWriters.Registration deleting = intents.Writers.Begin(_token);
        StoredData data = await StoredData.ListAsync(_gated, options.VolumeId, cancellationToken).ConfigureAwait(false);
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> backups = await ListRecordsAsync(cancellationToken).ConfigureAwait(false);
        _now = await GetTimeAsync(cancellationToken).ConfigureAwait(false);
        var breaking = new IntentBreaker(store, records, intents, options, time);
        await breaking.SelectAsync(atWork, cancellationToken).ConfigureAwait(false);
        Intent[] naming = [.. atWork.Intents.Where(intent => !(breaking.IsBroken(intent) && (intent.IsImport || intent.IsRepack)))];
        (List<UnnamedManifest> unnamed, List<Backup> missed) = await UnnamedManifest.FindAsync(_gated, records, data.Manifests, backups, naming, cancellationToken).ConfigureAwait(false);
        RecordStore.ThrowIfUnreadable(missed);
        backups = [.. backups, .. missed];
        unnamed = [.. unnamed.Select(manifest => breaking.IsOfStaleWriter(manifest) ? manifest with { State = UnnamedState.OfDeletion } : manifest)];
        ThrowIfRecordsAreLost(unnamed, backups);
        List<Backup> candidates = [.. SelectCandidates(backups)];
        DateTimeOffset? orphansUpTo = GetOrphanLimit(data);
        List<UnnamedManifest> abandoned = [.. unnamed.Where(manifest => manifest.State != UnnamedState.Orphaned || data.Volumes[manifest.VolumeId].Manifests[manifest.Id].IsFrom(orphansUpTo))];

        List<string> marks = [];
        try
        {
            if (!options.DryRun)
            {
                await PutMarksAsync(candidates, abandoned, marks, cancellationToken).ConfigureAwait(false);
                await breaking.BuryAsync(backups, cancellationToken).ConfigureAwait(false);
            }

            return await RemoveAsync(data, candidates, unnamed, abandoned, orphansUpTo, breaking, marks, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await RemoveMarksAsync(marks).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Says what is about to be removed. When the store is full after some marks, what has none is taken out of the lists: removing the others makes room for it.
    /// </summary>
    private async Task PutMarksAsync(List<Backup> candidates, List<UnnamedManifest> abandoned, List<string> marks, CancellationToken cancellationToken)
    {
        // An import could still name a manifest without a record, so its removal is announced like that of a backup. It is none: a record that names it later keeps it.
        // Two backups can have the same data: one was imported a second time under another id.
        Backup[] going = [.. candidates.Concat(abandoned.Select(manifest => manifest.ToBackup(BackupStatus.Deleting))).DistinctBy(IntentStore.DataOf)];
        HashSet<(string VolumeId, Guid Id)> marked = [];
        HashSet<string> volumes = [];
        foreach (Backup backup in going)
        {
            try
            {
                // One mark of each volume keeps all of them fresh: there may be thousands.
                IntentRefresher? first = volumes.Add(IntentStore.DataOf(backup).VolumeId) ? refresher : null;
                marks.Add(await intents.PutDeletionAsync(backup, _token, cancellationToken, first).ConfigureAwait(false));
                marked.Add(IntentStore.DataOf(backup));
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.OutOfSpace && marks.Count > 0)
            {
                _kept.Add($"{going.Length - marks.Count} of {going.Length} backups and manifests that are to go, because the store had no room for their marks ({e.Message}); prune again");
                candidates.RemoveAll(candidate => !marked.Contains(IntentStore.DataOf(candidate)));
                abandoned.RemoveAll(manifest => !marked.Contains((manifest.VolumeId, manifest.Id)));
                return;
            }
        }
    }

    private async Task<PruneReport> RemoveAsync(
        StoredData data, List<Backup> candidates, List<UnnamedManifest> unnamed, List<UnnamedManifest> abandoned, DateTimeOffset? orphansUpTo, IntentBreaker breaking, List<string> marks,
        CancellationToken cancellationToken)
    {
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        Intent[] working = [.. atWork.Intents.Where(intent => !breaking.IsBroken(intent))];
        if (working.FirstOrDefault(intent => intent.IsNewer) is { } newer)
            throw new RepositoryException(newer.Damage!);
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
        var references = new LiveReferences(_gated, records, data, _kept);
        await references.SubtractAsync(live.Concat(imports), [.. unnamed.Except(abandoned)], cancellationToken).ConfigureAwait(false);
        while (Array.FindAll(removed, backup => !breaking.IsBuried(backup) && IsInKeptVolume(backup)) is { Length: > 0 } stay)
        {
            removed = [.. removed.Except(stay)];
            live = [.. live, .. stay];
            await references.SubtractAsync(stay, [], cancellationToken).ConfigureAwait(false);
        }

        Backup[] going = [.. removed, .. abandoned.Select(manifest => manifest.ToBackup(BackupStatus.Deleting))];
        Protect(data, working, live, going);
        List<UnreferencedData> unreferenced = await KeepWithoutEvidenceAsync(data, references, removed, going, orphansUpTo, breaking, cancellationToken).ConfigureAwait(false);
        unreferenced.InsertRange(0, DescribeUnnamed(unnamed, abandoned, data, references));
        if (!options.DryRun)
        {
            await refresher.StopAsync(cancellationToken).ConfigureAwait(false);
            Backup[] left = await LookAgainAsync(removed, candidates, breaking, marks, cancellationToken).ConfigureAwait(false);
            await DeleteAsync(data, left, references.UnclearVolumes, breaking, marks, cancellationToken).ConfigureAwait(false);
        }

        return new PruneReport
        {
            DryRun = options.DryRun,
            BackupsRemoved = [.. removed.Where(backup => !breaking.IsBuried(backup)).Select(backup => backup.Id)],
            BackupsKept = live.Length,
            ManifestsRemoved = data.Volumes.Values.Sum(volume => (long)volume.Manifests.Count),
            PacksRemoved = data.Volumes.Values.Sum(volume => (long)volume.Packs.Count),
            BytesRemoved = data.Volumes.Values.Sum(volume => volume.Manifests.Values.Concat(volume.Packs.Values).Sum(stored => stored.SizeBytes)),
            Unreferenced = unreferenced,
            IntentsRemoved = breaking.Describe(),
            IntentsLeft = [.. working.Select(IntentBreaker.Describe)],
            Kept = _kept,
        };

        bool IsInKeptVolume(Backup backup) => references.KeptVolumes.Contains(backup.VolumeId) || references.KeptVolumes.Contains(IntentStore.DataOf(backup).VolumeId);
    }

    private async Task<IReadOnlyList<Backup>> ListRecordsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> backups = await records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        RecordStore.ThrowIfUnreadable(backups);
        return backups;
    }

    /// <summary>A prune that only looks puts nothing, so the store cannot tell it the time.</summary>
    private async Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken) =>
        !options.DryRun && (options.RemoveOrphans || (options.KeepDaily ?? options.KeepWeekly ?? options.KeepMonthly) is not null)
            ? await StoreClock.ReadAsync(store, intents, time, cancellationToken).ConfigureAwait(false)
            : time.GetUtcNow();

    /// <summary>Backups that no rule keeps, and those whose deletion was begun.</summary>
    private IEnumerable<Backup> SelectCandidates(IReadOnlyList<Backup> backups)
    {
        IEnumerable<Backup> inScope = backups.Where(backup => options.VolumeId is null || backup.VolumeId == options.VolumeId);
        return RetentionPolicy.SelectRemoved(inScope, options, _now)
            .Concat(inScope.Where(backup => backup.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting));
    }

    /// <summary>A volume that has manifests and no record has most likely lost its records. What looks like unneeded data there may be all that is left of its backups.</summary>
    /// <exception cref="BackupStateException">There is such a volume.</exception>
    private void ThrowIfRecordsAreLost(List<UnnamedManifest> unnamed, IReadOnlyList<Backup> backups)
    {
        HashSet<string> recorded = [.. backups.Where(backup => !backup.IsGoing()).SelectMany(backup => new[] { backup.VolumeId, IntentStore.DataOf(backup).VolumeId })];
        string[] lost =
        [
            .. unnamed.Where(manifest => manifest.State == UnnamedState.Orphaned && !recorded.Contains(manifest.VolumeId) && !options.VolumesWithoutRecords.Contains(manifest.VolumeId))
                .Select(manifest => manifest.VolumeId).Distinct().Order(StringComparer.Ordinal),
        ];
        if (lost.Length > 0)
        {
            throw new BackupStateException(
                $"Nothing was pruned in {store.Name}: volume {string.Join(", ", lost)} has manifests and no record of any backup, so the records may have been lost. "
                + "Run 'repair', which rebuilds records from manifests, or name the volumes whose data nobody needs in VolumesWithoutRecords (--confirm-volume).");
        }
    }

    /// <returns>Objects stored at this time or earlier, by the store's clock, are old enough to be removed without evidence; null when none is.</returns>
    private DateTimeOffset? GetOrphanLimit(StoredData data)
    {
        if (!options.RemoveOrphans)
            return null;

        // A prune that only looks puts no probe; by the newest object, nothing passes for older than it is.
        DateTimeOffset now = options.DryRun ? data.NewestAt : _now;
        return now - DateTimeOffset.MinValue > options.OrphanAge ? now - options.OrphanAge : DateTimeOffset.MinValue;
    }

    /// <summary>Describes manifests without a record: those that are kept, each with the packs that only it needs, and those that are removed for their age.</summary>
    private static List<UnreferencedData> DescribeUnnamed(List<UnnamedManifest> unnamed, List<UnnamedManifest> abandoned, StoredData data, LiveReferences references)
    {
        List<UnreferencedData> described = [];
        foreach (UnnamedManifest manifest in unnamed.Where(manifest => manifest.State == UnnamedState.Orphaned))
        {
            bool isRemoved = abandoned.Contains(manifest) && data.Volumes[manifest.VolumeId].Manifests.ContainsKey(manifest.Id);
            if (abandoned.Contains(manifest) && !isRemoved)
                continue; // A record names it by now.
            StoredObject[] objects = [data.ListedManifests[(manifest.VolumeId, manifest.Id)], .. references.OnlyOf.GetValueOrDefault(manifest.Key) ?? []];
            UnreferencedKind kind = manifest.Damage is null ? UnreferencedKind.ManifestWithoutRecord : UnreferencedKind.UnreadableManifest;
            described.Add(new UnreferencedData(manifest.VolumeId, manifest.Id, kind, objects.Length, objects.Sum(stored => stored.SizeBytes), objects.Max(stored => stored.StoredAt), isRemoved));
        }

        return described;
    }

    /// <summary>
    /// Takes out the packs of whose deletion nothing is known, but for those that are old enough where that suffices. A pack may go when a backup wrote it that is going
    /// itself, or when a manifest refers to it that goes: then it was kept for that alone.
    /// </summary>
    private async Task<List<UnreferencedData>> KeepWithoutEvidenceAsync(
        StoredData data, LiveReferences references, Backup[] removed, Backup[] going, DateTimeOffset? orphansUpTo, IntentBreaker breaking, CancellationToken cancellationToken)
    {
        HashSet<(string VolumeId, Guid Id)> writers = [.. removed.Where(backup => !backup.IsImportTombstone()).SelectMany(backup => breaking.GetDataIds(backup).Concat([(backup.VolumeId, backup.Id), IntentStore.DataOf(backup)]))];
        HashSet<(string VolumeId, StoredPack Pack)> mapped = [];
        foreach (Backup backup in going.Where(backup => backup.ManifestSha256 is not null && data.Volumes.TryGetValue(IntentStore.DataOf(backup).VolumeId, out VolumeData? volume) && volume.Packs.Count > 0))
        {
            if (await TryReadManifestAsync(backup, cancellationToken).ConfigureAwait(false) is not { } manifest)
                continue;
            foreach (StoredPack pack in manifest.Packs.Packs.Where(pack => pack.Key.BackupOrdinal < manifest.Backups.Count).Select(pack => StoredPack.Of(manifest, pack.Key)))
            {
                if (mapped.Add((manifest.VolumeId, pack)) && data.Volumes[manifest.VolumeId].Packs.TryGetValue(pack, out StoredObject stored))
                    references.AddOnlyOf(manifest.Key, stored);
            }

            // An imported backup has another id than the one that wrote its data. What a repack replaced belongs to a backup that stays.
            if (removed.Contains(backup))
                writers.Add((manifest.VolumeId, manifest.Backups[^1]));
        }

        List<UnreferencedData> unreferenced = [];
        foreach ((string volumeId, VolumeData volume) in data.Volumes)
        {
            KeyValuePair<StoredPack, StoredObject>[] unknown = [.. volume.Packs.Where(pack => !writers.Contains((volumeId, pack.Key.BackupId)) && !mapped.Contains((volumeId, pack.Key)))];
            foreach (var packs in unknown.GroupBy(pack => (pack.Key.BackupId, IsOld: pack.Value.IsFrom(orphansUpTo))))
            {
                unreferenced.Add(new UnreferencedData(
                    volumeId, packs.Key.BackupId, UnreferencedKind.PacksWithoutManifest, packs.Count(), packs.Sum(pack => pack.Value.SizeBytes), packs.Max(pack => pack.Value.StoredAt), packs.Key.IsOld));
                if (packs.Key.IsOld)
                    continue;
                foreach ((StoredPack pack, _) in packs)
                    volume.Packs.Remove(pack);
            }
        }

        return unreferenced;
    }

    private async Task<Manifest?> TryReadManifestAsync(Backup backup, CancellationToken cancellationToken)
    {
        try
        {
            return await _gated.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CorruptionException or RepositoryException)
        {
            // Its deletion has come as far as that, or it is damaged: then only what it wrote itself is known.
            return null;
        }
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
        List<Backup> left = [];
        foreach (Backup was in removed)
        {
            // Asked for one by one: a record that a listing does not show may be there, and its data must not go without it.
            if (await records.FindRecordAsync(was.VolumeId, was.Id, cancellationToken).ConfigureAwait(false) is { } backup)
                left.Add(backup);
        }

        IEnumerable<Backup> complete = now.Concat(left).DistinctBy(backup => (backup.VolumeId, backup.Id));
        HashSet<(string, Guid)> selected = [.. SelectCandidates([.. complete]).Select(backup => (backup.VolumeId, backup.Id))];
        ILookup<(string, Guid), Backup> before = removed.ToLookup(backup => (backup.VolumeId, backup.Id));
        foreach (Backup backup in left)
        {
            Backup was = before[(backup.VolumeId, backup.Id)].First();
            if (IsChanged(was, backup) || (candidates.Exists(candidate => candidate.Id == backup.Id && candidate.VolumeId == backup.VolumeId) && !selected.Contains((backup.VolumeId, backup.Id))))
                throw Changed(backup);
        }

        return [.. left];
    }

    private static bool IsChanged(Backup was, Backup now) => now.ManifestKey != was.ManifestKey || (now.Status != was.Status && now.Status != BackupStatus.Deleting);

    private static BackupStateException Changed(Backup backup) =>
        new($"Backup {backup.Id} of volume {backup.VolumeId} was changed, or has come to be kept by a rule, while this prune looked at what others need; no data was removed. Prune again.");

    /// <summary>Manifests go first: what has none cannot be imported. Records go after all data, so that a prune that is cut off is finished by the next.</summary>
    private async Task DeleteAsync(StoredData data, Backup[] removed, HashSet<string> unclearVolumes, IntentBreaker breaking, List<string> marks, CancellationToken cancellationToken)
    {
        foreach (Backup backup in removed.Where(backup => backup.Status is not BackupStatus.Deleting))
        {
            await records.ChangeRecordAsync(
                backup, now => IsChanged(backup, now) ? throw Changed(now) : now with { Status = BackupStatus.Deleting, UpdatedAt = time.GetUtcNow() }, cancellationToken).ConfigureAwait(false);
        }

        await intents.ThrowIfBrokenAsync(marks, cancellationToken).ConfigureAwait(false);
        foreach ((string volumeId, VolumeData volume) in data.Volumes)
        {
            string[] packs = [.. volume.Packs.Keys.Select(pack => StoreKeys.Pack(volumeId, pack.BackupId, pack.Sequence))];
            await store.DeleteAsync(packs, cancellationToken).ConfigureAwait(false);
        }

        // Manifests after the packs that they name, and records last: what is left of a prune that is interrupted must say what else may go.
        string[] manifests = [.. data.Volumes.SelectMany(volume => volume.Value.Manifests.Keys.Select(id => StoreKeys.Manifest(volume.Key, id)))];
        await store.DeleteAsync(manifests, cancellationToken).ConfigureAwait(false);

        // Intents before the stones that stand for them: one without a stone could be taken over, although its packs may have an owner by now.
        await store.DeleteAsync(breaking.Keys, cancellationToken).ConfigureAwait(false);
        List<string> done = [];
        foreach (Backup backup in removed.Where(IsDone))
        {
            if (await IsManifestGoneAsync(data, backup, cancellationToken).ConfigureAwait(false))
                done.Add(StoreKeys.Record(backup.VolumeId, backup.Id));
        }

        await store.DeleteAsync(done, cancellationToken).ConfigureAwait(false);

        // Where more was kept than is known to be needed, or was not looked at, the record stays: it is the evidence for what the next prune removes.
        bool IsDone(Backup backup) => IntentStore.DataOf(backup).VolumeId is var volumeId && !unclearVolumes.Contains(volumeId) && (options.VolumeId is null || options.VolumeId == volumeId);
    }

    /// <summary>A repack may have given a backup another manifest and packs after this prune had listed what there is: nothing of that was removed.</summary>
    private async Task<bool> IsManifestGoneAsync(StoredData data, Backup backup, CancellationToken cancellationToken) =>
        backup.ManifestKey is not { } key
        || !StoreKeys.TryParseManifest(key, out string volumeId, out Guid id)
        || data.ListedManifests.ContainsKey((volumeId, id))
        || await store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is null;

    private async Task RemoveMarksAsync(List<string> marks)
    {
        using CancellationTokenSource timeout = SafeTimeout.Create(TimeSpan.FromSeconds(30), time);
        try
        {
            await intents.DeleteDeletionsAsync(marks, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // They hold others up only as long as this process lives; the next prune removes them.
            _kept.Add($"{marks.Count} marks of this prune ({e.Message})");
        }
    }
}
