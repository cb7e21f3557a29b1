namespace BackupEngine.Limits;

/// <summary>
/// Workers and memory that operations share. An operation gets both at once, before it begins, and nothing more later: so none holds what another waits for while it waits
/// itself, and there is no deadlock. They come in the order of their priority, then of their asking; nobody overtakes, so whoever needs much is not starved by those who need little.
/// </summary>
internal sealed class ResourceBudget
{
    /// <summary>No operation takes more than this part of all, unless it needs it: a restore should not have to wait until everything else has ended.</summary>
    private const int LargestPart = 4;

    private readonly Lock _lock = new();
    private readonly PriorityQueue<Waiter, (int Priority, long Number)> _waiting = new();
    private readonly long _totalBytes;
    private readonly int _totalWorkers;
    private long _freeBytes;
    private int _freeWorkers;
    private long _lastNumber;

    public ResourceBudget(long bytes, int workers)
    {
        _totalBytes = _freeBytes = bytes;
        _totalWorkers = _freeWorkers = workers;
    }

    public int WaitingCount
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    public (long Bytes, int Workers) Free
    {
        get
        {
            lock (_lock)
                return (_freeBytes, _freeWorkers);
        }
    }

    /// <summary>Takes a share; waits until there is one.</summary>
    /// <exception cref="ArgumentException">There will never be one: the operation needs more than all.</exception>
    public async ValueTask<ResourceShare> TakeAsync(ResourceRequest request, CancellationToken cancellationToken)
    {
        if (request.MinBytes > _totalBytes)
            throw new ArgumentException($"The operation needs {request.MinBytes} bytes of memory for buffers, and the limit for all is {_totalBytes}.", nameof(request));
        var waiter = new Waiter(request);
        lock (_lock)
        {
            _waiting.Enqueue(waiter, (-(int)request.Priority, ++_lastNumber));
            GiveOut();
        }

        using (cancellationToken.UnsafeRegister((_, token) => Cancel(waiter, token), null))
            return await waiter.Task.ConfigureAwait(false);
    }

    public void Return(ResourceShare share)
    {
        lock (_lock)
        {
            _freeBytes += share.Bytes;
            _freeWorkers += share.Workers;
            GiveOut();
        }
    }

    private void Cancel(Waiter waiter, CancellationToken token)
    {
        lock (_lock)
        {
            if (!waiter.TrySetCanceled(token))
                return;
            _waiting.Remove(waiter, out _, out _);
            GiveOut();
        }
    }

    private void GiveOut()
    {
        while (_waiting.TryPeek(out Waiter? first, out _) && TryTake(first.Request) is { } share)
        {
            _waiting.Dequeue();
            first.SetResult(share);
        }
    }

    private ResourceShare? TryTake(ResourceRequest request)
    {
        long wanted = Math.Max(request.MinBytes, Math.Min(request.MaxBytes, _totalBytes / LargestPart));
        long bytes = Math.Min(wanted, _freeBytes);
        int workers = Math.Min(request.GetWorkers(bytes), Math.Min(Math.Max(1, _totalWorkers / LargestPart), _freeWorkers));
        if (workers < 1)
            return null;
        _freeBytes -= bytes;
        _freeWorkers -= workers;
        return new ResourceShare(this, workers, bytes);
    }

    private sealed class Waiter(ResourceRequest request) : TaskCompletionSource<ResourceShare>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public ResourceRequest Request => request;
    }
}
