using System.Globalization;
using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Pruning;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>Ranges of the volume that a record names; more only make it unreadable, and verification tells all.</summary>
    private const int MaxRangesInReason = 20;

    /// <summary>Packs that a record names; a record has 4 MiB at the most.</summary>
    private const int MaxDamagedPacks = 10_000;

    /// <summary>
    /// Rebuilds records that are lost or cannot be read from their manifests, looks at everything deeply, marks backups that are damaged as <see cref="BackupStatus.Error"/>, so
    /// that nobody takes them for whole, and makes backups available again that were in error and are intact. The next incremental builds on a whole backup; when there is none, on the latest in error, and stores anew whatever
    /// is in damaged packs. Nothing is removed.
    /// </summary>
    /// <param name="options">How it shares with other operations; null for the defaults.</param>
    /// <param name="progress">Told how far the look at all data is.</param>
    /// <param name="cancellationToken">Gives up; what was repaired until then stays so.</param>
    /// <returns>What was found and what was done about it.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="BackupStateException">All packs of a volume are missing, and <see cref="RepairOptions.AcceptMissingPacks"/> is not set; nothing was changed.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditional puts, and single-writer mode was not chosen or something else is active.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public Task<RepairReport> RepairAsync(RepairOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        RunAsync("repair", operation => RunRepairAsync(operation, options ?? new RepairOptions(), progress, cancellationToken));

    private async Task<RepairReport> RunRepairAsync(Operation operation, RepairOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        OptionsGuard.Check(options);
        var look = new VerifyOptions { Deep = true, Workers = options.Workers, Priority = options.Priority, Pause = options.Pause };
        await RequireAloneAsync("A repair", cancellationToken).ConfigureAwait(false);
        List<Guid> rebuilt = [];
        List<Guid> marked = [];
        List<Guid> cleared = [];
        StoredData data = await StoredData.ListAsync(_store, null, cancellationToken).ConfigureAwait(false);
        IntentListing atWork = await _intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        (List<UnnamedManifest> lost, List<Backup> missed) = await UnnamedManifest.FindAsync(_store, _records, data.Manifests, records, [.. atWork.Intents.Where(IsNaming)], cancellationToken).ConfigureAwait(false);
        records = [.. records, .. missed];
        if (!options.AcceptMissingPacks)
            await ThrowIfDataIsMissingAsync(records, data, cancellationToken).ConfigureAwait(false);

        HashSet<string> unnamed = [.. data.Manifests.Select(manifest => StoreKeys.Manifest(manifest.VolumeId, manifest.Id)).Except(records.Select(record => record.ManifestKey ?? ""))];
        foreach (Backup unreadable in records.Where(NeedsRebuilding))
        {
            if (await RebuildRecordAsync(unreadable, records, unnamed, cancellationToken).ConfigureAwait(false) is not { } record)
                continue;

            if (record.Status != BackupStatus.Available && !unreadable.IsUnreadable)
                continue;

            // A single bad read must not cost a record that is sound.
            if (await _records.ChangeRecordAsync(unreadable, now => NeedsRebuilding(now) ? record : null, cancellationToken).ConfigureAwait(false) is null)
                continue;
            unnamed.Remove(record.ManifestKey ?? "");
            (record.Status == BackupStatus.Available ? rebuilt : marked).Add(record.Id);
        }

        HashSet<(string, Guid)> ofStaleWriters = [.. atWork.Intents.Where(intent => !intent.IsImport).SelectMany(intent => intent.DataIds.Select(id => (IntentStore.DataOf(intent.Backup).VolumeId, id)))];
        rebuilt.AddRange(await RebuildLostRecordsAsync([.. lost.Where(manifest => unnamed.Contains(manifest.Key) && !ofStaleWriters.Contains((manifest.VolumeId, manifest.Id)))], records, data, atWork, cancellationToken).ConfigureAwait(false));

        // Nor a backup: what seems to be damaged is looked at twice.
        VerifyReport report = await VerifyAsync(look, progress, cancellationToken).ConfigureAwait(false);
        foreach (Guid id in report.IntactAgain)
        {
            if (await _records.FindRecordOrStubAsync(id, cancellationToken).ConfigureAwait(false) is { } backup
                && await _records.ChangeRecordAsync(backup, now => IsAsVerified(now, backup) ? ClearDamage(now) : null, cancellationToken).ConfigureAwait(false) is not null)
                cleared.Add(id);
        }

        HashSet<Guid> suspects = [.. report.Findings.Select(finding => finding.BackupId)];
        if (suspects.Count > 0)
            report = await VerifyAsync(look, suspects, null, cancellationToken).ConfigureAwait(false);
        foreach (IGrouping<Guid, VerifyFinding> damage in report.Findings.GroupBy(finding => finding.BackupId))
        {
            // As it is now: it may have been deleted meanwhile, or have been in error before.
            if (await _records.FindRecordOrStubAsync(damage.Key, cancellationToken).ConfigureAwait(false) is not { } backup)
                continue;
            bool isNew = backup.Status == BackupStatus.Available;
            if (await _records.ChangeRecordAsync(backup, now => MarkDamaged(now, [.. damage]), cancellationToken).ConfigureAwait(false) is not null && isNew)
                marked.Add(backup.Id);
        }

        operation.Note("backup_engine.repair.rebuilt", rebuilt.Count);
        operation.Note("backup_engine.repair.marked", marked.Count);
        return new RepairReport
        {
            RecordsRebuilt = rebuilt,
            BackupsMarked = marked,
            BackupsCleared = cleared,
            Findings = report.Findings,
            FutureTimestamps = report.FutureTimestamps,
            Statistics = operation.Statistics,
        };
    }

    /// <summary>
    /// Gets a value that indicates whether only the place of a record says something; also of one that an earlier repair had to leave without a manifest. A record of a newer
    /// engine is intact, whatever this engine can read of it.
    /// </summary>
    private static bool NeedsRebuilding(Backup record) => !record.IsNewer && (record.IsUnreadable || record is { Status: BackupStatus.Error, ManifestSha256: null });

    private static bool IsAsVerified(Backup now, Backup verified) =>
        now is { IsUnreadable: false, Status: BackupStatus.Error, ManifestSha256: not null } && now.ManifestKey == verified.ManifestKey && now.ManifestSha256 == verified.ManifestSha256;

    private Backup ClearDamage(Backup backup) => backup with
    {
        Status = BackupStatus.Available,
        FailReason = null,
        DamagedPacks = null,
        UpdatedAt = _time.GetUtcNow(),
        StateReason = (backup with { StateReason = null }).IsRebuilt() ? BackupStateReason.Rebuilt : null,
    };

    /// <summary>
    /// When all packs of a volume are missing, the store is most likely not completely mounted or copied, and every backup would be marked for nothing.
    /// </summary>
    /// <exception cref="BackupStateException">They are.</exception>
    private async Task ThrowIfDataIsMissingAsync(IReadOnlyList<Backup> records, StoredData data, CancellationToken cancellationToken)
    {
        List<string> missing = [];
        int backups = 0;
        if (data.Volumes.Count == 0 && records.Any(record => record.IsUnreadable))
            missing.Add($"all of {StoreKeys.Volumes}");
        foreach (IGrouping<string, Backup> volume in records.Where(record => record is { Status: BackupStatus.Available, ManifestKey: not null }).GroupBy(record => IntentStore.DataOf(record).VolumeId))
        {
            if (data.Volumes.TryGetValue(volume.Key, out VolumeData? stored) && stored.Packs.Count > 0)
                continue;
            bool hadPacks = false;
            foreach (Backup backup in volume)
                hadPacks = hadPacks || await HadPacksAsync(backup, cancellationToken).ConfigureAwait(false);
            if (!hadPacks)
                continue;
            missing.Add($"volume {volume.Key}");
            backups += volume.Count();
        }

        if (missing.Count > 0)
        {
            throw new BackupStateException(
                $"Repair changed nothing in {Name}: no pack is left of {string.Join(", ", missing)}, which {backups} available backups need. Is the store completely mounted, or was it copied in part? "
                + "Bring the missing objects back; or repair with AcceptMissingPacks (--accept-missing-packs), which marks these backups as damaged.");
        }
    }

    private async Task<bool> HadPacksAsync(Backup backup, CancellationToken cancellationToken)
    {
        try
        {
            return (await _store.ReadManifestAsync(_records, backup, cancellationToken).ConfigureAwait(false)).Packs.Packs.Any();
        }
        catch (BackupEngineException e) when (e is CorruptionException or RepositoryException)
        {
            return backup.ObjectCount > 1;
        }
    }

    /// <summary>
    /// Rebuilds the records of manifests that no record names. Not of those that belong to an active or stale writer, to a deletion, or to a repack that replaced them: these
    /// are not among the lost ones. A repair holds on to the data as an import does, so that a prune beside it either is seen or sees it.
    /// </summary>
    private async Task<List<Guid>> RebuildLostRecordsAsync(
        IReadOnlyList<UnnamedManifest> lost, IReadOnlyList<Backup> records, StoredData data, IntentListing atWork, CancellationToken cancellationToken)
    {
        List<Guid> rebuilt = [];
        foreach (IGrouping<(string VolumeId, Guid OwnerId), UnnamedManifest> owned in lost
            .Where(manifest => manifest is { State: UnnamedState.Orphaned, OwnerId: not null }).GroupBy(manifest => (manifest.VolumeId, manifest.OwnerId!.Value)))
        {
            (string volumeId, Guid id) = owned.Key;
            if (records.Any(record => record.Id == id) || atWork.Intents.Where(IsNaming).Any(intent => intent.Backup.Id == id || (intent.Damage is not null && intent.Backup.VolumeId == volumeId)))
                continue;
            if (await FindMostCompleteAsync(owned, data.Volumes[volumeId], cancellationToken).ConfigureAwait(false) is not var (manifest, bytes))
                continue;
            try
            {
                Backup record = await CreateRecordAsync(RecordStore.CreateStub(volumeId, id, BackupStatus.Available, null), new SalvagedRecord(null, null), records, manifest, bytes, cancellationToken).ConfigureAwait(false);
                await AddRecordOfDataAsync(record, needsAllPacks: false, cancellationToken).ConfigureAwait(false);
                rebuilt.Add(id);
            }
            catch (BackupEngineException e) when (e is BackupStateException or RecordFormatException or CorruptionException)
            {
                // Something of the volume is being deleted, or another was faster; the next repair finds out.
                _logger.CleanUpFailed(e, id);
            }
        }

        return rebuilt;
    }

    /// <summary>Of the manifests of one backup, the one of whose packs fewest are missing; null when none of them has any pack left that it needs.</summary>
    private async Task<(Manifest Manifest, byte[] Bytes)?> FindMostCompleteAsync(IEnumerable<UnnamedManifest> manifests, VolumeData volume, CancellationToken cancellationToken)
    {
        (Manifest Manifest, byte[] Bytes)? best = null;
        int fewest = int.MaxValue;
        foreach (UnnamedManifest candidate in manifests)
        {
            try
            {
                (Manifest manifest, byte[] bytes) = await ReadTwiceAsync(candidate.Key, cancellationToken).ConfigureAwait(false);
                StoredPack[] packs = [.. manifest.Packs.Packs.Select(pack => StoredPack.Of(manifest, pack.Key))];
                int missing = packs.Count(pack => !volume.Packs.ContainsKey(pack));
                if (missing < fewest && (missing < packs.Length || packs.Length == 0))
                    (best, fewest) = ((manifest, bytes), missing);
            }
            catch (BackupEngineException e) when (e is CorruptionException or ObjectStoreException { Error: ObjectStoreError.NotFound })
            {
                // Gone or damaged since it was found.
            }
        }

        return best;
    }

    /// <returns>Null when the record says all that already. Without its manifest nothing new is known of the packs, so of those then stays what was.</returns>
    private Backup? MarkDamaged(Backup backup, VerifyFinding[] findings)
    {
        Backup marked = backup with
        {
            Status = BackupStatus.Error,
            StateReason = BackupStateReason.Damaged,
            FailReason = DescribeDamage(findings),
            DamagedPacks = FindDamagedPacks(findings),
            UpdatedAt = _time.GetUtcNow(),
        };
        return backup switch
        {
            { Status: BackupStatus.Available } => marked,
            { Status: BackupStatus.Error, IsUnreadable: false, ManifestSha256: not null }
                when backup.FailReason != marked.FailReason && !findings.Any(finding => finding.Key == backup.ManifestKey) => marked,
            _ => null,
        };
    }

    /// <returns>The record, or one in error when its data is gone; null when data is there that no record names, which may be its own: then the record stays unreadable, and nothing is removed.</returns>
    private async Task<Backup?> RebuildRecordAsync(
        Backup unreadable, IReadOnlyList<Backup> records, HashSet<string> unnamed, CancellationToken cancellationToken)
    {
        // What the record still says of it; where it was stored first; anywhere, after a repack or under the volume of its parent.
        SalvagedRecord salvaged = await _records.SalvageAsync(unreadable, cancellationToken).ConfigureAwait(false);
        string first = StoreKeys.Manifest(unreadable.VolumeId, unreadable.Id);
        List<string> own = [.. new[] { salvaged.ManifestKey ?? first, first }.Distinct()];
        own = [.. own.Except(await _store.FindMissingAsync(own, cancellationToken).ConfigureAwait(false))];
        foreach (string key in own.Concat(unnamed).Distinct())
        {
            bool isItsOwn = key == salvaged.ManifestKey || key == first;
            try
            {
                (Manifest manifest, byte[] bytes) = await ReadTwiceAsync(key, cancellationToken).ConfigureAwait(false);
                if (manifest.Key == key && (key == salvaged.ManifestKey || manifest.Backups[^1] == unreadable.Id))
                    return await CreateRecordAsync(unreadable, salvaged, records, manifest, bytes, cancellationToken).ConfigureAwait(false);
            }
            catch (RepositoryException) when (isItsOwn)
            {
                // Of a later version, which knows what to make of it.
                return null;
            }
            catch (BackupEngineException e) when (e is CorruptionException or RepositoryException or ObjectStoreException { Error: ObjectStoreError.NotFound })
            {
                // Another's; or its own, and of no use. It stays named: should somebody mend it, nothing that it needs is gone.
                if (isItsOwn)
                    return CreateLost(key, e.Message);
            }
        }

        return unnamed.Count == 0 ? CreateLost(null, "no manifest is left that could be its own") : null;

        Backup CreateLost(string? key, string why) =>
            unreadable with { IsUnreadable = false, StateReason = BackupStateReason.Damaged, ManifestKey = key, FailReason = $"the record was damaged, and cannot be made anew: {why}", UpdatedAt = _time.GetUtcNow() };
    }

    /// <summary>A manifest and its bytes, read once more when they are none: a single bad read proves nothing.</summary>
    private async Task<(Manifest Manifest, byte[] Bytes)> ReadTwiceAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync().ConfigureAwait(false);
        }
        catch (CorruptionException)
        {
            return await ReadAsync().ConfigureAwait(false);
        }

        async Task<(Manifest, byte[])> ReadAsync()
        {
            byte[] bytes = await _store.GetAllAsync(key, ManifestFormat.MaxManifestSize, cancellationToken).ConfigureAwait(false);
            return (ManifestDecoder.Decode(key, bytes), bytes);
        }
    }

    private async Task<Backup> CreateRecordAsync(
        Backup unreadable, SalvagedRecord salvaged, IReadOnlyList<Backup> records, Manifest manifest, byte[] bytes, CancellationToken cancellationToken)
    {
        DateTimeOffset stored = await FindLatestTimeAsync(unreadable, records, manifest, cancellationToken).ConfigureAwait(false);
        DateTimeOffset made = salvaged.Made is { } known && known > DateTimeOffset.UnixEpoch ? known : stored;
        return unreadable with
        {
            IsUnreadable = false,
            Status = BackupStatus.Available,
            FailReason = null,
            StateReason = BackupStateReason.Rebuilt,
            SizeBytes = manifest.Geometry.SizeBytes,
            ParentId = manifest.ParentId,
            CreatedAt = made,
            DataTimestamp = made,
            StoredAt = made < stored ? made : stored,
            UpdatedAt = _time.GetUtcNow(),
            ChunkSize = manifest.Geometry.ChunkSize,
            Hash = manifest.Hasher.Algorithm,
            Compression = ChunkCompression.Lz4,
            ManifestKey = manifest.Key,
            ManifestSha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
        };
    }

    /// <summary>
    /// When a backup was made, at the latest: with too late a time it would pass for the volume's newest, and others be removed for it. Its manifest is younger after a
    /// repack, its own packs are not.
    /// </summary>
    private async Task<DateTimeOffset> FindLatestTimeAsync(Backup unreadable, IReadOnlyList<Backup> records, Manifest manifest, CancellationToken cancellationToken)
    {
        ObjectInfo? stored = await _store.HeadAsync(manifest.Key, cancellationToken).ConfigureAwait(false);
        List<DateTimeOffset> times = [stored?.LastModified ?? _time.GetUtcNow()];
        times.AddRange(records.Where(record => !record.IsUnreadable && record.ParentId == unreadable.Id).Select(child => child.StoredAt ?? child.CreatedAt));
        DateTimeOffset lastPack = DateTimeOffset.MinValue;
        await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(manifest.VolumeId, manifest.Backups[^1]), cancellationToken).ConfigureAwait(false))
            lastPack = pack.LastModified > lastPack ? pack.LastModified : lastPack;
        if (lastPack > DateTimeOffset.MinValue)
            times.Add(lastPack);
        return times.Min();
    }

    /// <summary>The packs that an incremental must not refer to; null when there are too many to name.</summary>
    private static string[]? FindDamagedPacks(IEnumerable<VerifyFinding> findings)
    {
        string[] packs = [.. findings.Select(finding => finding.Key).Where(key => StoreKeys.TryParsePack(key, out _, out _, out _)).Distinct().Take(MaxDamagedPacks + 1)];
        return packs.Length > MaxDamagedPacks ? null : packs;
    }

    private static string DescribeDamage(VerifyFinding[] findings)
    {
        var ranges = new List<(long Start, long End)>();
        foreach (VerifyFinding finding in findings.Where(finding => finding.VolumeOffset is not null).OrderBy(finding => finding.VolumeOffset))
        {
            (long start, long end) = (finding.VolumeOffset!.Value, finding.VolumeOffset.Value + finding.VolumeLength.GetValueOrDefault());
            if (ranges.Count > 0 && start <= ranges[^1].End)
                ranges[^1] = (ranges[^1].Start, Math.Max(ranges[^1].End, end));
            else
                ranges.Add((start, end));
        }

        string lost = string.Join(", ", ranges.Take(MaxRangesInReason).Select(range => string.Create(CultureInfo.InvariantCulture, $"{range.Start}-{range.End}")));
        string more = ranges.Count > MaxRangesInReason ? $" and {ranges.Count - MaxRangesInReason} more ranges" : "";
        string where = ranges.Count > 0 ? $"volume bytes {lost}{more} are lost: " : "";
        return $"{where}{findings[0].Key}: {findings[0].Problem}";
    }
}
