namespace BackupEngine.Limits;

/// <summary>Workers and memory that are an operation's own until it gives them back.</summary>
internal sealed class ResourceShare(ResourceBudget budget, int workers, long bytes) : IDisposable
{
    private int _isReturned;

    public int Workers => workers;

    public long Bytes => bytes;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isReturned, 1) == 0)
            budget.Return(this);
    }
}
