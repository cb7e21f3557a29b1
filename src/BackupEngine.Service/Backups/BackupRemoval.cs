using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using BackupEngine.Service.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>Deletes backups, and brings those that are stuck to rest.</summary>
internal sealed class BackupRemoval(CatalogDatabase database, TemporarySnapshots snapshots, JobQueue queue, RunningJobs running, TimeProvider time)
{
    /// <summary>Queues the deletion of a backup.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="id">The backup.</param>
    /// <param name="force">Whether its status does not matter: what happens to it is cancelled.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task DeleteAsync(ApiRequest request, string id, bool force, CancellationToken cancellationToken)
    {
        string jobId = Guid.NewGuid().ToString();
        string? cancelled = await ChangeAsync(request, id, force, jobId, BackupStates.Deleting, cancellationToken);
        running.Cancel(cancelled);
        await queue.TryEnqueueAsync(jobId, id, cancellationToken);
    }

    /// <summary>Sets the status of a backup; what happens to it is cancelled.</summary>
    public async Task ResetAsync(ApiRequest request, string id, string status, CancellationToken cancellationToken) =>
        running.Cancel(await ChangeAsync(request, id, force: true, jobId: null, status, cancellationToken));

    /// <summary>Gives a backup another status and job.</summary>
    /// <returns>The job that it had.</returns>
    private async Task<string?> ChangeAsync(ApiRequest request, string id, bool force, string? jobId, string status, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        await using var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken);

        // Held to the end: nobody makes it a parent meanwhile.
        await catalog.Backups.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.UpdatedAt, row => row.UpdatedAt), cancellationToken);
        BackupRow backup = (await BackupItem.FindAsync(catalog, request, id, cancellationToken)).Row;
        if (!force && backup.Status is not (BackupStates.Available or BackupStates.Error))
        {
            throw ApiFault.InvalidBackup("Backup status must be available or error");
        }

        if (status == BackupStates.Deleting && backup.FailReason != ContainerCheck.Gone && await HasDependentsAsync(catalog, id, cancellationToken))
        {
            throw ApiFault.InvalidBackup("Incremental backups exist for this backup.");
        }

        DateTime now = time.Now();
        await catalog.Backups.Where(row => row.Id == id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.StatusBefore, row => row.Status == BackupStates.Deleting ? row.StatusBefore : row.Status)
                .SetProperty(row => row.UpdatedBefore, row => row.Status == BackupStates.Deleting ? row.UpdatedBefore : row.UpdatedAt)
                .SetProperty(row => row.Status, status).SetProperty(row => row.JobId, jobId)
                .SetProperty(row => row.JobKind, jobId is null ? null : JobKinds.Delete).SetProperty(row => row.UpdatedAt, now),
            cancellationToken);
        string? unbegunJob = backup.RunningJobId != backup.JobId ? backup.JobId : null;
        if (unbegunJob is not null)
        {
            // It had not begun, and now never will: nobody else frees what it was to work on.
            await Claims.ReleaseAsync(catalog, unbegunJob, null, null, now, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        if (unbegunJob is not null)
        {
            snapshots.Remove(id);
        }

        return backup.JobId;
    }

    // One that is being written counts: its data will refer to this backup's.
    private static Task<bool> HasDependentsAsync(CatalogContext catalog, string id, CancellationToken cancellationToken) =>
        catalog.Backups.AnyAsync(row => row.ParentId == id && (row.IsCommitted || row.Status == BackupStates.Creating), cancellationToken);
}
