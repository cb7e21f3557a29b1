using Quartz;

namespace BackupEngine.Service.Jobs;

/// <summary>What the scheduler runs: it carries only ids, the catalog says what is to be done.</summary>
internal sealed class CatalogJob(JobRunner runner) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        new(runner.RunAsync(context.JobDetail.Key.Name, context.MergedJobDataMap.GetString(JobQueue.BackupKey)!, cancellationToken));
}
