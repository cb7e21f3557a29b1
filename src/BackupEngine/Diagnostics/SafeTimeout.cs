namespace BackupEngine.Diagnostics;

/// <summary>Timeouts of what follows a commit or a failure.</summary>
internal static class SafeTimeout
{
    /// <summary>Creates a source that is cancelled after a while by the host's clock, or by the system's when the host's clock fails.</summary>
    public static CancellationTokenSource Create(TimeSpan delay, TimeProvider time)
    {
        try
        {
            return new CancellationTokenSource(delay, time);
        }
        catch (Exception) when (time != TimeProvider.System)
        {
            // A backup that is committed must not be reported as failed because of the host's clock.
            return new CancellationTokenSource(delay);
        }
    }
}
