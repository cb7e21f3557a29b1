using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.Pruning;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// Removes the backups that no rule keeps, the data that only they need, and what crashed writers and deleters left. Only what something says was to go is removed; data
    /// that nothing refers to and of whose deletion nothing is known is reported and kept. Safe beside anything else that goes on, and at any moment it is cut off; the next
    /// prune then finishes.
    /// </summary>
    /// <param name="options">What to keep; null to keep all backups.</param>
    /// <param name="cancellationToken">Gives up; what was removed until then stays removed.</param>
    /// <returns>What was removed, or with <see cref="PruneOptions.DryRun"/> would be.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="BackupStateException">A volume has manifests and no record of any backup, and <see cref="PruneOptions.VolumesWithoutRecords"/> does not name it; or another prune took this one for dead, or what it was to remove was changed while it looked at what others need; prune again.</exception>
    /// <exception cref="CorruptionException">A record, an intent or a manifest cannot be read, so nobody knows what it needs: nothing is removed before the repository is repaired.</exception>
    /// <exception cref="ObjectStores.UnsupportedObjectStoreException">The store does not honour conditional puts.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public Task<PruneReport> PruneAsync(PruneOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync("prune", operation => RunPruneAsync(operation, options ?? new PruneOptions(), cancellationToken));

    private async Task<PruneReport> RunPruneAsync(Operation operation, PruneOptions options, CancellationToken cancellationToken)
    {
        OptionsGuard.Check(options);
        operation.Note("backup_engine.volume.id", options.VolumeId);
        if (!options.DryRun && await FindLackingAsync(cancellationToken).ConfigureAwait(false) is { } lacking)
            throw UnsupportedObjectStoreException.ForOperation("A prune", lacking);
        var gate = new OperationGate(_limits, options.Pause);
        PruneReport report = await RunPrunerAsync(gate, options, cancellationToken).ConfigureAwait(false);
        if (options.RepackBelowPercent is not null)
            report = await RepackAsync(operation, gate, report, options, cancellationToken).ConfigureAwait(false);
        foreach (string kept in report.Kept)
            _logger.PruneKept(kept);
        if (!report.DryRun)
            _logger.Pruned(report.BackupsRemoved.Count, report.PacksRemoved + report.ManifestsRemoved, report.BytesRemoved);
        operation.Note("backup_engine.prune.backups", report.BackupsRemoved.Count);
        operation.Note("backup_engine.prune.objects", report.PacksRemoved + report.ManifestsRemoved);
        operation.Note("backup_engine.prune.size", report.BytesRemoved);
        return report with { Statistics = operation.Statistics };
    }

    private async Task<PruneReport> RunPrunerAsync(OperationGate gate, PruneOptions options, CancellationToken cancellationToken)
    {
        await using IntentRefresher refresher = CreateRefresher("This prune", cancellationToken);
        try
        {
            return await new Pruner(_store, gate, _records, _intents, options, _time, refresher).RunAsync(refresher.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (refresher.Failure is not null)
        {
            throw refresher.Failure;
        }
    }

    /// <summary>Empties packs that are mostly dead, and then removes what was emptied as anything else that nobody needs.</summary>
    private async Task<PruneReport> RepackAsync(Operation operation, OperationGate gate, PruneReport before, PruneOptions options, CancellationToken cancellationToken)
    {
        var repacker = new Repacker(gate.Guard(_store), _records, _intents, options, _time, CreateRefresher);
        using (await TakeShareAsync(operation, gate, Repacker.GetRequest(options), cancellationToken).ConfigureAwait(false))
            await repacker.RunAsync(before.BackupsRemoved, before.Unreferenced, cancellationToken).ConfigureAwait(false);
        PruneReport report = before with
        {
            PacksRepacked = repacker.PacksRepacked,
            BytesRepacked = repacker.BytesStored,
            Kept = [.. before.Kept, .. repacker.Kept],
        };
        if (options.DryRun)
            return report with { PacksRemoved = report.PacksRemoved + repacker.PacksRepacked, BytesRemoved = report.BytesRemoved + repacker.BytesEmptied };
        if (repacker.BytesStored == 0)
            return report;
        PruneReport after = await RunPrunerAsync(
            gate, new PruneOptions { VolumeId = options.VolumeId, VolumesWithoutRecords = options.VolumesWithoutRecords }, cancellationToken).ConfigureAwait(false);
        return report with
        {
            ManifestsRemoved = report.ManifestsRemoved + after.ManifestsRemoved,
            PacksRemoved = report.PacksRemoved + after.PacksRemoved,
            BytesRemoved = report.BytesRemoved + after.BytesRemoved,
            Kept = [.. report.Kept, .. after.Kept],
        };
    }
}
