namespace BackupEngine.Limits;

/// <summary>
/// Bytes per second, shared by all who ask. Whoever asks gets the next free moment, and his bytes put off the one after him: over time the rate is exactly held, a single
/// transfer goes at full speed, and time that nobody used is not saved up.
/// </summary>
internal sealed class RateLimit(long bytesPerSecond, TimeProvider time)
{
    /// <summary>Waited for at once, at the most: timers know no longer ones than 49 days.</summary>
    private static readonly TimeSpan _maxStep = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private TimeSpan _next;

    /// <summary>Waits for the moment at which so many bytes may be moved.</summary>
    public ValueTask WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        TimeSpan delay;
        lock (_lock)
        {
            TimeSpan now = time.GetElapsedTime(_origin);
            TimeSpan start = _next > now ? _next : now;
            _next = start + CostOf(bytes);
            delay = start - now;
        }

        return delay <= TimeSpan.Zero ? ValueTask.CompletedTask : DelayAsync(delay, bytes, cancellationToken);
    }

    /// <summary>Takes back what was waited for and not moved.</summary>
    public void GiveBack(long bytes)
    {
        lock (_lock)
            _next -= CostOf(bytes);
    }

    private TimeSpan CostOf(long bytes) => TimeSpan.FromSeconds((double)bytes / bytesPerSecond);

    private async ValueTask DelayAsync(TimeSpan delay, long bytes, CancellationToken cancellationToken)
    {
        try
        {
            for (; delay > TimeSpan.Zero; delay -= _maxStep)
                await Task.Delay(delay < _maxStep ? delay : _maxStep, time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What is not moved after all must not hold up the others.
            GiveBack(bytes);
            throw;
        }
    }
}
