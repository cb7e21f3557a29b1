using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Pruning;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// Removes the backups that no rule keeps and everything that nobody needs: packs, manifests, and what crashed writers and deleters left. Safe beside anything
    /// else that goes on, and at any moment it is cut off; the next prune then finishes.
    /// </summary>
    /// <param name="options">What to keep; null to keep all backups.</param>
    /// <param name="cancellationToken">Gives up; what was removed until then stays removed.</param>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="CorruptionException">A record, an intent or a manifest cannot be read, so nobody knows what it needs: nothing is removed before the repository is repaired.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public Task<PruneReport> PruneAsync(PruneOptions? options = null, CancellationToken cancellationToken = default) =>
        RunAsync("prune", operation => RunPruneAsync(operation, options ?? new PruneOptions(), cancellationToken));

    private async Task<PruneReport> RunPruneAsync(Operation operation, PruneOptions options, CancellationToken cancellationToken)
    {
        OptionsGuard.Check(options);
        operation.Note("backup_engine.volume.id", options.VolumeId);
        PruneReport report = await new Pruner(_dataStore, _records, _intents, options, _time).RunAsync(cancellationToken).ConfigureAwait(false);
        foreach (string kept in report.Kept)
            _logger.PruneKept(kept);
        if (!report.DryRun)
            _logger.Pruned(report.BackupsRemoved.Count, report.PacksRemoved + report.ManifestsRemoved, report.BytesRemoved);
        operation.Note("backup_engine.prune.backups", report.BackupsRemoved.Count);
        operation.Note("backup_engine.prune.objects", report.PacksRemoved + report.ManifestsRemoved);
        operation.Note("backup_engine.prune.size", report.BytesRemoved);
        return report;
    }
}
