namespace BackupEngine.Service.Jobs;

/// <summary>The latest progress report of a job.</summary>
internal sealed class JobProgress : IProgress<BackupProgress>
{
    private readonly Lock _lock = new();
    private BackupProgress _latest;

    public BackupProgress Latest
    {
        get
        {
            lock (_lock)
            {
                return _latest;
            }
        }
    }

    public void Report(BackupProgress value)
    {
        lock (_lock)
        {
            // Reports come from many threads, and may overtake each other.
            if (value.BytesDone >= _latest.BytesDone)
            {
                _latest = value;
            }
        }
    }
}
