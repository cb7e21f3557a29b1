using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Quartz;

namespace BackupEngine.Service.Jobs;

/// <summary>
/// Looks, at the start and now and then, for what the catalog asks for and the queue does not know: the crack between two commits, and work that a
/// stopping service left. Frees volumes whose job is gone, and forgets backups that were deleted long ago.
/// </summary>
internal sealed partial class JobSweep(
    CatalogDatabase database, TemporarySnapshots snapshots, JobQueue queue, BackupServiceOptions options, TimeProvider time, ILogger<JobSweep> logger) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(30);

    // Younger rows may be about to be queued by the request that made them.
    private static readonly TimeSpan _minAge = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(_interval, time);
        // A database of our own has no requests under way yet.
        TimeSpan minAge = database.IsShared ? _minAge : TimeSpan.Zero;
        do
        {
            try
            {
                await SweepAsync(minAge, stoppingToken);
                minAge = _minAge;
            }
            catch (Exception exception) when (exception is NpgsqlException or SqliteException or DbUpdateException or SchedulerException or InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                LogFailed(exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round.</summary>
    /// <param name="minAge">How long nothing may have happened to what is taken for lost.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task SweepAsync(TimeSpan minAge, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        DateTime now = time.Now();
        DateTime young = now - minAge;
        var waiting = await catalog.Backups.AsNoTracking().Where(row => row.JobId != null && (row.UpdatedAt ?? row.CreatedAt) < young)
            .Select(row => new { row.Id, row.JobId }).ToListAsync(cancellationToken);
        foreach (var row in waiting)
        {
            if (!await queue.ContainsAsync(row.JobId!, cancellationToken))
            {
                LogRequeued(row.JobId!, row.Id);
                await queue.TryEnqueueAsync(row.JobId!, row.Id, cancellationToken);
            }
        }

        await FreeAsync(catalog, young, now, cancellationToken);
        await snapshots.RemoveForgottenAsync(catalog, now, cancellationToken);
        DateTime old = now - TimeSpan.FromHours(options.DeletedMarkerHours);
        await catalog.Backups.IgnoreQueryFilters().Where(row => row.DeletedAt < old).ExecuteDeleteAsync(cancellationToken);
    }

    private async Task FreeAsync(CatalogContext catalog, DateTime young, DateTime now, CancellationToken cancellationToken)
    {
        List<string?> busy = await catalog.Volumes.Where(row => row.BusyJobId != null && (row.UpdatedAt ?? row.CreatedAt) < young).Select(row => row.BusyJobId)
            .Union(catalog.Snapshots.Where(row => row.BusyJobId != null && (row.UpdatedAt ?? row.CreatedAt) < young).Select(row => row.BusyJobId))
            .ToListAsync(cancellationToken);
        foreach (string? jobId in busy)
        {
            bool isAlive = await queue.ContainsAsync(jobId!, cancellationToken)
                || await catalog.Backups.AnyAsync(row => row.JobId == jobId || row.RunningJobId == jobId, cancellationToken);
            if (!isAlive)
            {
                LogFreed(jobId!);
                await Claims.ReleaseAsync(catalog, jobId!, null, null, now, cancellationToken);
            }
        }
    }

    [LoggerMessage(1301, LogLevel.Warning, "Job {JobId} of backup {BackupId} was not in the queue and is queued again")]
    private partial void LogRequeued(string jobId, string backupId);

    [LoggerMessage(1302, LogLevel.Warning, "Nobody does job {JobId} any more: what it kept busy is free")]
    private partial void LogFreed(string jobId);

    [LoggerMessage(1303, LogLevel.Warning, "The catalog could not be swept; it is tried again")]
    private partial void LogFailed(Exception exception);
}
