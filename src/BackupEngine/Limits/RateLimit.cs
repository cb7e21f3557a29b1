namespace BackupEngine.Limits;

/// <summary>
/// Bytes per second, shared by all who ask. Whoever asks gets the next free moment, and his bytes put off the one after him: over time the rate is exactly held, a single
/// transfer goes at full speed, and time that nobody used is not saved up.
/// </summary>
internal sealed class RateLimit(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private TimeSpan _next;

    /// <summary>Waits for the moment at which so many bytes may be moved.</summary>
    public ValueTask WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        var cost = TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        TimeSpan delay;
        lock (_lock)
        {
            TimeSpan now = time.GetElapsedTime(_origin);
            TimeSpan start = _next > now ? _next : now;
            _next = start + cost;
            delay = start - now;
        }

        return delay <= TimeSpan.Zero ? ValueTask.CompletedTask : DelayAsync(delay, cost, cancellationToken);
    }

    private async ValueTask DelayAsync(TimeSpan delay, TimeSpan cost, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What is not moved after all must not hold up the others.
            lock (_lock)
                _next -= cost;
            throw;
        }
    }
}
