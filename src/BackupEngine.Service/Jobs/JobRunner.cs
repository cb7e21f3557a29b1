using System.Diagnostics;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace BackupEngine.Service.Jobs;

/// <summary>
/// Runs jobs. A job takes its backup by a conditional update, says every second how far it is, stops when the backup is no longer meant for it,
/// and ends by another conditional update. A job that is found half done was cut off, and is ended or done again.
/// </summary>
internal sealed partial class JobRunner(
    CatalogDatabase database, IEnumerable<IBackupWork> works, TemporarySnapshots snapshots, RunningJobs running, FailReasons reasons, TimeProvider time, ILogger<JobRunner> logger)
{
    private static readonly TimeSpan _heartbeatInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _predecessorPoll = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _predecessorWait = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, IBackupWork> _works = works.ToDictionary(work => work.Kind);

    /// <summary>Runs a job to its end, whatever that is.</summary>
    public async Task RunAsync(string jobId, string backupId, CancellationToken stopping)
    {
        await using CatalogContext catalog = database.Open();
        BackupRow? backup = await StartAsync(catalog, jobId, backupId, stopping);
        if (backup is null)
        {
            return;
        }

        IBackupWork work = _works[backup.JobKind!];
        bool isCutOff = backup.RunningJobId == jobId;
        backup.RunningJobId = jobId;
        if (isCutOff && !work.IsRepeatable)
        {
            LogCutOff(work.Kind, backupId);
            await EndAsync(catalog, backupId, jobId, await CutOffAsync(work, backup, stopping));
            return;
        }

        JobOutcome? outcome = await WorkAsync(work, backup, jobId, stopping);
        if (outcome is not null)
        {
            await EndAsync(catalog, backupId, jobId, outcome);
        }
        else
        {
            // It goes on at the next start: the catalog still asks for it.
            await catalog.Backups.Where(row => row.Id == backupId && row.RunningJobId == jobId).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.RunningJobId, (string?)null), CancellationToken.None);
        }
    }

    /// <summary>The backup, when it is this job's; null when it is not meant for it any more.</summary>
    private async Task<BackupRow?> StartAsync(CatalogContext catalog, string jobId, string backupId, CancellationToken stopping)
    {
        long started = time.GetTimestamp();
        while (true)
        {
            BackupRow? backup = await catalog.Backups.AsNoTracking().FirstOrDefaultAsync(row => row.Id == backupId, stopping);
            if (backup?.JobId != jobId)
            {
                if (backup?.RunningJobId == jobId || await catalog.Volumes.AnyAsync(row => row.BusyJobId == jobId, stopping))
                {
                    // Cut off while it wound up after having been cancelled.
                    await EndAsync(catalog, backupId, jobId, new(""));
                }

                return null;
            }

            if (backup.RunningJobId == jobId || await Claims.TryStartAsync(catalog, backupId, jobId, stopping))
            {
                return backup;
            }

            // A cancelled job still winds up. Should its server be dead, its job comes back and frees the backup; the sweep brings this one back.
            if (time.GetElapsedTime(started) > _predecessorWait)
            {
                return null;
            }

            await Task.Delay(_predecessorPoll, time, stopping);
        }
    }

    /// <summary>Does the work and tells how it went; null when the service stops and the work is to go on at the next start.</summary>
    private async Task<JobOutcome?> WorkAsync(IBackupWork work, BackupRow backup, string jobId, CancellationToken stopping)
    {
        using CancellationTokenSource cancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        running.Add(jobId, cancellation);
        JobProgress progress = new();
        using CancellationTokenSource ended = new();
        Task heartbeat = BeatAsync(work.Kind, backup, jobId, progress, cancellation, ended.Token);
        long started = Stopwatch.GetTimestamp();
        try
        {
            LogStarted(work.Kind, backup.Id);
            JobOutcome outcome = await work.RunAsync(backup, progress, cancellation.Token);
            LogDone(work.Kind, backup.Id, Stopwatch.GetElapsedTime(started));
            return outcome;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return work.IsRepeatable ? null : work.Failed(backup, "the service was stopped");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return work.Failed(backup, "cancelled");
        }
        catch (Exception exception)
        {
            // Whatever it was, the backup and the volume must come to rest.
            LogFailed(exception, work.Kind, backup.Id);
            return work.Failed(backup, reasons.Of(exception));
        }
        finally
        {
            await ended.CancelAsync();
            await heartbeat;
            running.Remove(jobId);
        }
    }

    private async Task<JobOutcome> CutOffAsync(IBackupWork work, BackupRow backup, CancellationToken stopping)
    {
        const string Reason = "incomplete backup reset on manager restart";
        try
        {
            return await work.CutOffAsync(backup, Reason, stopping);
        }
        catch (Exception exception) when (exception is BackupEngineException or OperationCanceledException)
        {
            LogFailed(exception, work.Kind, backup.Id);
            return work.Failed(backup, Reason);
        }
    }

    private async Task EndAsync(CatalogContext catalog, string backupId, string jobId, JobOutcome outcome)
    {
        // Not cancellable: stopping the service must not leave a volume busy.
        await Claims.FinishAsync(catalog, backupId, jobId, outcome, time.Now(), CancellationToken.None);
        try
        {
            snapshots.Remove(backupId);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNotCleaned(exception, backupId);
        }
    }

    private async Task BeatAsync(string kind, BackupRow backup, string jobId, JobProgress progress, CancellationTokenSource work, CancellationToken ended)
    {
        using PeriodicTimer timer = new(_heartbeatInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ended))
            {
                BackupProgress latest = progress.Latest;
                LogProgress(kind, backup.Id, latest.BytesDone, latest.BytesTotal);
                if (!await TellAsync(backup.Id, jobId, latest, ended))
                {
                    await work.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The work is over.
        }
    }

    /// <summary>Writes how far a job is; false when the backup is not meant for it any more.</summary>
    private async Task<bool> TellAsync(string backupId, string jobId, BackupProgress latest, CancellationToken cancellationToken)
    {
        try
        {
            await using CatalogContext catalog = database.Open();
            return await catalog.Backups.Where(row => row.Id == backupId && row.RunningJobId == jobId && row.JobId == jobId).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.ProgressDone, latest.BytesDone).SetProperty(row => row.ProgressTotal, latest.BytesTotal)
                    .SetProperty(row => row.ProgressRead, latest.BytesRead).SetProperty(row => row.ProgressChanged, latest.BytesChanged)
                    .SetProperty(row => row.ProgressStored, latest.BytesStored),
                cancellationToken) == 1;
        }
        catch (Exception exception) when (exception is NpgsqlException or SqliteException or DbUpdateException or InvalidOperationException)
        {
            // A catalog that is away for a moment is no reason to lose the work.
            LogNoHeartbeat(exception, backupId);
            return true;
        }
    }

    [LoggerMessage(1201, LogLevel.Information, "{Kind} of backup {BackupId} started")]
    private partial void LogStarted(string kind, string backupId);

    [LoggerMessage(1202, LogLevel.Information, "{Kind} of backup {BackupId} done in {Elapsed}")]
    private partial void LogDone(string kind, string backupId, TimeSpan elapsed);

    [LoggerMessage(1203, LogLevel.Error, "{Kind} of backup {BackupId} failed")]
    private partial void LogFailed(Exception exception, string kind, string backupId);

    [LoggerMessage(1204, LogLevel.Warning, "{Kind} of backup {BackupId} was cut off")]
    private partial void LogCutOff(string kind, string backupId);

    [LoggerMessage(1205, LogLevel.Warning, "The snapshot for backup {BackupId} is not removed yet; a sweep will do it")]
    private partial void LogNotCleaned(Exception exception, string backupId);

    [LoggerMessage(1206, LogLevel.Warning, "The catalog does not take the progress of backup {BackupId}")]
    private partial void LogNoHeartbeat(Exception exception, string backupId);

    [LoggerMessage(1207, LogLevel.Debug, "{Kind} of backup {BackupId}: {Done} of {Total} bytes")]
    private partial void LogProgress(string kind, string backupId, long done, long total);
}
