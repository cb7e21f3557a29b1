namespace BackupEngine.Service;

/// <summary>Times as the catalog keeps them.</summary>
internal static class Clock
{
    /// <summary>Now, in UTC, to the microsecond: what both kinds of database keep and the API shows.</summary>
    public static DateTime Now(this TimeProvider time)
    {
        DateTime now = time.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
