using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
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
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public async Task<VerifyReport> VerifyAsync(
        VerifyOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new VerifyOptions();
        IReadOnlyList<Backup> backups = options.BackupId is { } backupId
            ? [await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false)]
            : [.. (await ListAsync(null, cancellationToken).ConfigureAwait(false)).Where(backup => backup.Status is not (BackupStatus.Creating or BackupStatus.Deleting))];
        var meter = new ProgressMeter(progress, backups.Sum(backup => backup.SizeBytes));
        VerifyReport report = await new VerifyPipeline(_store, options, meter).RunAsync(backups, cancellationToken).ConfigureAwait(false);
        meter.Finish();
        return report;
    }
}
