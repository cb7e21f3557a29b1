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
    /// Makes records that cannot be read anew from their manifests, looks at everything deeply, and marks backups that are damaged as <see cref="BackupStatus.Error"/>, so that
    /// nobody takes them for whole. The next incremental builds on a whole backup; when there is none, on the latest in error, and stores anew whatever
    /// is in damaged packs. Nothing is removed.
    /// </summary>
    /// <param name="options">How it shares with other operations; null for the defaults.</param>
    /// <param name="progress">Told how far the look at all data is.</param>
    /// <param name="cancellationToken">Gives up; what was repaired until then stays so.</param>
    /// <returns>What was found and what was done about it.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public Task<RepairReport> RepairAsync(RepairOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        RunAsync("repair", operation => RunRepairAsync(operation, options ?? new RepairOptions(), progress, cancellationToken));

    private async Task<RepairReport> RunRepairAsync(Operation operation, RepairOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var look = new VerifyOptions { Deep = true, Workers = options.Workers, Priority = options.Priority, Pause = options.Pause };
        OptionsGuard.Check(look);
        List<Guid> rebuilt = [];
        List<Guid> marked = [];
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        Backup[] damagedRecords = [.. records.Where(record => record.IsUnreadable)];
        HashSet<string> manifests = damagedRecords.Length > 0 ? await ListManifestsAsync(cancellationToken).ConfigureAwait(false) : [];
        HashSet<string> unnamed = [.. manifests.Except(records.Select(record => record.ManifestKey ?? ""))];
        foreach (Backup unreadable in damagedRecords)
        {
            if (await RebuildRecordAsync(unreadable, records, manifests, unnamed, cancellationToken).ConfigureAwait(false) is not { } record)
                continue;

            // A single bad read must not cost a record that is sound.
            if (await _records.ChangeRecordAsync(unreadable, now => now.IsUnreadable ? record : null, cancellationToken).ConfigureAwait(false) is null)
                continue;
            unnamed.Remove(record.ManifestKey ?? "");
            (record.Status == BackupStatus.Available ? rebuilt : marked).Add(record.Id);
        }

        // Nor a backup: what seems to be damaged is looked at twice.
        VerifyReport report = await VerifyAsync(look, progress, cancellationToken).ConfigureAwait(false);
        HashSet<Guid> suspects = [.. report.Findings.Select(finding => finding.BackupId)];
        if (suspects.Count > 0)
            report = await VerifyAsync(look, suspects, null, cancellationToken).ConfigureAwait(false);
        foreach (IGrouping<Guid, VerifyFinding> damage in report.Findings.GroupBy(finding => finding.BackupId))
        {
            // As it is now: it may have been deleted meanwhile, or have been in error before.
            if (await _records.FindRecordOrStubAsync(damage.Key, cancellationToken).ConfigureAwait(false) is { } backup
                && await _records.ChangeRecordAsync(backup, now => now.Status == BackupStatus.Available ? MarkDamaged(now, [.. damage]) : null, cancellationToken).ConfigureAwait(false) is not null)
                marked.Add(backup.Id);
        }

        operation.Note("backup_engine.repair.rebuilt", rebuilt.Count);
        operation.Note("backup_engine.repair.marked", marked.Count);
        return new RepairReport { RecordsRebuilt = rebuilt, BackupsMarked = marked, Findings = report.Findings, Statistics = operation.Statistics };
    }

    private Backup MarkDamaged(Backup backup, VerifyFinding[] findings) =>
        backup with { Status = BackupStatus.Error, FailReason = DescribeDamage(findings), DamagedPacks = FindDamagedPacks(findings), UpdatedAt = _time.GetUtcNow() };

    /// <returns>The record, or one in error when its data is gone; null when data is there that no record names, which may be its own: then the record stays unreadable, and nothing is removed.</returns>
    private async Task<Backup?> RebuildRecordAsync(
        Backup unreadable, IReadOnlyList<Backup> records, HashSet<string> manifests, HashSet<string> unnamed, CancellationToken cancellationToken)
    {
        // What the record still says of it; where it was stored first; anywhere, after a repack or under the volume of its parent.
        SalvagedRecord salvaged = await _records.SalvageAsync(unreadable, cancellationToken).ConfigureAwait(false);
        string first = StoreKeys.Manifest(unreadable.VolumeId, unreadable.Id);
        foreach (string key in new[] { salvaged.ManifestKey ?? first, first }.Where(manifests.Contains).Concat(unnamed).Distinct())
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
            unreadable with { IsUnreadable = false, ManifestKey = key, FailReason = $"the record was damaged, and cannot be made anew: {why}", UpdatedAt = _time.GetUtcNow() };
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

    private async Task<HashSet<string>> ListManifestsAsync(CancellationToken cancellationToken)
    {
        StoredData data = await StoredData.ListAsync(_store, null, cancellationToken).ConfigureAwait(false);
        return [.. data.Volumes.SelectMany(volume => volume.Value.Manifests.Keys.Select(id => StoreKeys.Manifest(volume.Key, id)))];
    }

    private async Task<Backup> CreateRecordAsync(
        Backup unreadable, SalvagedRecord salvaged, IReadOnlyList<Backup> records, Manifest manifest, byte[] bytes, CancellationToken cancellationToken)
    {
        DateTimeOffset made = salvaged.Made ?? await FindLatestTimeAsync(unreadable, records, manifest, cancellationToken).ConfigureAwait(false);
        return unreadable with
        {
            IsUnreadable = false,
            Status = BackupStatus.Available,
            FailReason = null,
            Description = RecordStore.RebuiltText,
            SizeBytes = manifest.Geometry.SizeBytes,
            ParentId = manifest.ParentId,
            CreatedAt = made,
            DataTimestamp = made,
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
        times.AddRange(records.Where(record => !record.IsUnreadable && record.ParentId == unreadable.Id).Select(child => child.CreatedAt));
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
