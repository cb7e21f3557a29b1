using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.Pipelines;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// Looks whether everything that backups refer to is there. Without <see cref="VerifyOptions.Deep"/> that is records, manifests, and the presence and size
    /// of packs, by listing; with it, every byte that a backup needs is read and checked.
    /// </summary>
    /// <returns>What was found; damage is reported, not thrown.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public Task<VerifyReport> VerifyAsync(
        VerifyOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        VerifyAsync(options ?? new VerifyOptions(), null, progress, cancellationToken);

    /// <param name="among">Only these. Null: all that the options say.</param>
    private Task<VerifyReport> VerifyAsync(VerifyOptions options, HashSet<Guid>? among, IProgress<BackupProgress>? progress, CancellationToken cancellationToken) =>
        RunAsync("verify", operation => RunVerifyAsync(operation, options, among, progress, cancellationToken));

    private async Task<VerifyReport> RunVerifyAsync(
        Operation operation, VerifyOptions options, HashSet<Guid>? among, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        OptionsGuard.Check(options);
        operation.Note("backup_engine.backup.id", options.BackupId);
        IReadOnlyList<Backup> backups = options.BackupId is { } backupId
            ? [await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false)]
            : [.. (await ListAsync(options.VolumeId, cancellationToken).ConfigureAwait(false)).Where(backup => backup.Status is not (BackupStatus.Creating or BackupStatus.Deleting) && among?.Contains(backup.Id) != false)];
        var meter = new ProgressMeter(progress, backups.Sum(backup => backup.SizeBytes));
        var gate = new OperationGate(_limits, options.Pause);
        using ResourceShare? share = options.Deep
            ? await TakeShareAsync(operation, gate, PipelineMemory.ForVerify(options, backups), cancellationToken).ConfigureAwait(false)
            : null;
        options = options with { Workers = share?.Workers ?? options.Workers };
        VerifyReport report = await new VerifyPipeline(gate.Guard(_store), options, meter).RunAsync(backups, cancellationToken).ConfigureAwait(false);
        meter.Finish(_logger);
        report = await LookAgainAsync(report, backups, gate.Guard(_store), options, meter, cancellationToken).ConfigureAwait(false);
        operation.Note("backup_engine.verify.backups", report.BackupsChecked);
        operation.Note("backup_engine.verify.findings", report.Findings.Count);
        operation.Note("backup_engine.object_store.received", report.BytesRead);
        return report with { FutureTimestamps = [.. backups.Where(backup => backup.HasFutureTimestamp).Select(backup => backup.Id)], Statistics = operation.Statistics };
    }

    /// <summary>What was deleted while it was looked at is not damaged; and what was repacked is looked at again.</summary>
    private async Task<VerifyReport> LookAgainAsync(
        VerifyReport report, IReadOnlyList<Backup> backups, IObjectStore store, VerifyOptions options, ProgressMeter meter, CancellationToken cancellationToken)
    {
        HashSet<Guid> dropped = [];
        List<Backup> repacked = [];
        HashSet<Guid> damaged = [.. report.Findings.Select(finding => finding.BackupId)];
        foreach (Backup backup in backups.Where(backup => damaged.Contains(backup.Id) && !backup.IsUnreadable))
        {
            Backup? now = await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
            if (now is { Status: not (BackupStatus.Deleting or BackupStatus.ErrorDeleting) } && now.ManifestKey == backup.ManifestKey)
                continue;
            dropped.Add(backup.Id);
            if (now is { Status: BackupStatus.Available })
                repacked.Add(now);
        }

        IEnumerable<VerifyFinding> findings = report.Findings.Where(finding => !dropped.Contains(finding.BackupId));
        if (repacked.Count > 0)
        {
            VerifyReport again = await new VerifyPipeline(store, options, meter).RunAsync(repacked, cancellationToken).ConfigureAwait(false);
            findings = findings.Concat((await LookAgainAsync(again, repacked, store, options, meter, cancellationToken).ConfigureAwait(false)).Findings);
        }

        return report with { Findings = [.. findings], IntactAgain = [.. report.IntactAgain.Where(id => !dropped.Contains(id))] };
    }
}
