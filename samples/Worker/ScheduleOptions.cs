namespace Worker;

/// <summary>What to back up, how often, and what to keep.</summary>
internal sealed record ScheduleOptions
{
    public string Volume { get; set; } = "";

    public TimeSpan Interval { get; set; } = TimeSpan.FromDays(1);

    public int KeepDaily { get; set; } = 7;
}
