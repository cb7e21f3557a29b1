using Microsoft.Extensions.Logging;
using Quartz;

namespace BackupEngine.Service.Jobs;

/// <summary>Hands jobs to the scheduler, whose tables survive a restart and are shared by the servers of one database.</summary>
internal sealed partial class JobQueue(ISchedulerFactory schedulers, ILogger<JobQueue> logger)
{
    public const string BackupKey = "backup";

    /// <summary>Queues a job that the catalog holds already. When that fails, the next sweep queues it.</summary>
    public async Task TryEnqueueAsync(string jobId, string backupId, CancellationToken cancellationToken)
    {
        try
        {
            await EnqueueAsync(jobId, backupId, cancellationToken);
        }
        catch (SchedulerException exception)
        {
            LogNotQueued(exception, jobId, backupId);
        }
    }

    public async Task<bool> ContainsAsync(string jobId, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await schedulers.GetScheduler(cancellationToken);
        return await scheduler.Exists(new JobKey(jobId), cancellationToken);
    }

    private async Task EnqueueAsync(string jobId, string backupId, CancellationToken cancellationToken)
    {
        IScheduler scheduler = await schedulers.GetScheduler(cancellationToken);
        IJobDetail job = JobBuilder.Create<CatalogJob>().WithIdentity(jobId).UsingJobData(BackupKey, backupId).RequestRecovery().Build();
        ITrigger trigger = TriggerBuilder.Create().WithIdentity(jobId).StartNow().Build();
        await scheduler.ScheduleJob(job, trigger, cancellationToken: cancellationToken);
    }

    [LoggerMessage(1101, LogLevel.Warning, "Job {JobId} of backup {BackupId} is not queued yet; the next sweep will do it")]
    private partial void LogNotQueued(Exception exception, string jobId, string backupId);
}
