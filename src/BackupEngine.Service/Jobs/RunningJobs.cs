using System.Collections.Concurrent;

namespace BackupEngine.Service.Jobs;

/// <summary>The jobs that run in this process.</summary>
internal sealed class RunningJobs
{
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _jobs = new();

    public void Add(string jobId, CancellationTokenSource cancellation) => _jobs[jobId] = cancellation;

    public void Remove(string jobId) => _jobs.TryRemove(jobId, out _);

    /// <summary>Tells a job at once that it is not wanted any more; on another server, the catalog tells it within a second.</summary>
    public void Cancel(string? jobId)
    {
        if (jobId is null || !_jobs.TryGetValue(jobId, out CancellationTokenSource? cancellation))
        {
            return;
        }

        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }
}
