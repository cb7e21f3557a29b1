using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace BackupEngine.Service.Jobs;

/// <summary>Who holds what: every change of hands is one conditional update, so that of two who try, one does.</summary>
internal static class Claims
{
    /// <summary>Makes a volume busy for a job, if it still has the status that it was seen with.</summary>
    public static async Task<bool> TryTakeVolumeAsync(CatalogContext catalog, VolumeRow seen, string status, string jobId, DateTime now, CancellationToken cancellationToken) =>
        await catalog.Volumes.Where(row => row.Id == seen.Id && row.Status == seen.Status && row.BusyJobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.PreviousStatus, row => row.Status).SetProperty(row => row.Status, status)
                .SetProperty(row => row.BusyJobId, jobId).SetProperty(row => row.UpdatedAt, now),
            cancellationToken) == 1;

    /// <summary>Makes a snapshot busy for a job, if it is available.</summary>
    public static async Task<bool> TryTakeSnapshotAsync(CatalogContext catalog, string snapshotId, string jobId, DateTime now, CancellationToken cancellationToken) =>
        await catalog.Snapshots.Where(row => row.Id == snapshotId && row.Status == VolumeStates.Available && row.BusyJobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.PreviousStatus, row => row.Status).SetProperty(row => row.Status, VolumeStates.BackingUp)
                .SetProperty(row => row.BusyJobId, jobId).SetProperty(row => row.UpdatedAt, now),
            cancellationToken) == 1;

    /// <summary>Frees whatever a job kept busy.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="jobId">The job.</param>
    /// <param name="volumeStatus">The status of its volume; null for the one that it had before.</param>
    /// <param name="setVolume">What else changes in its volume.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task ReleaseAsync(
        CatalogContext catalog, string jobId, string? volumeStatus, Action<UpdateSettersBuilder<VolumeRow>>? setVolume, DateTime now, CancellationToken cancellationToken)
    {
        await catalog.Volumes.Where(row => row.BusyJobId == jobId).ExecuteUpdateAsync(
            set =>
            {
                setVolume?.Invoke(set);
                if (volumeStatus is null)
                {
                    // A restore that was cut off left the volume with neither its old nor its new content.
                    set.SetProperty(row => row.Status, row => row.Status == VolumeStates.RestoringBackup ? VolumeStates.ErrorRestoring : row.PreviousStatus ?? VolumeStates.Available);
                }
                else
                {
                    set.SetProperty(row => row.Status, volumeStatus);
                }

                set.SetProperty(row => row.PreviousStatus, (string?)null).SetProperty(row => row.BusyJobId, (string?)null).SetProperty(row => row.UpdatedAt, now);
            },
            cancellationToken);
        await catalog.Snapshots.Where(row => row.BusyJobId == jobId).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, row => row.PreviousStatus ?? VolumeStates.Available).SetProperty(row => row.PreviousStatus, (string?)null)
                .SetProperty(row => row.BusyJobId, (string?)null).SetProperty(row => row.UpdatedAt, now),
            cancellationToken);
    }

    /// <summary>Makes a backup this job's, if it is meant for it and nobody works on it.</summary>
    public static async Task<bool> TryStartAsync(CatalogContext catalog, string backupId, string jobId, CancellationToken cancellationToken) =>
        await catalog.Backups.Where(row => row.Id == backupId && row.JobId == jobId && row.RunningJobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.RunningJobId, jobId), cancellationToken) == 1;

    /// <summary>Ends a job: the catalog takes its outcome, unless the backup is not this job's any more. What it kept busy is free in either case.</summary>
    /// <returns>Whether the catalog took the outcome.</returns>
    public static async Task<bool> FinishAsync(CatalogContext catalog, string backupId, string jobId, JobOutcome outcome, DateTime now, CancellationToken cancellationToken)
    {
        await using var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken);
        bool isTaken = await catalog.Backups.Where(row => row.Id == backupId && row.RunningJobId == jobId && row.JobId == jobId).ExecuteUpdateAsync(
            set =>
            {
                outcome.SetBackup?.Invoke(set);
                set.SetProperty(row => row.Status, outcome.Status).SetProperty(row => row.JobId, (string?)null).SetProperty(row => row.JobKind, (string?)null)
                    .SetProperty(row => row.RunningJobId, (string?)null).SetProperty(row => row.TempSnapshotId, (string?)null).SetProperty(row => row.UpdatedAt, now);
            },
            cancellationToken) == 1;
        if (isTaken)
        {
            await ReleaseAsync(catalog, jobId, outcome.VolumeStatus, outcome.SetVolume, now, cancellationToken);
        }
        else
        {
            await catalog.Backups.Where(row => row.Id == backupId && row.RunningJobId == jobId).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.RunningJobId, (string?)null), cancellationToken);
            await ReleaseAsync(catalog, jobId, null, null, now, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return isTaken;
    }
}
