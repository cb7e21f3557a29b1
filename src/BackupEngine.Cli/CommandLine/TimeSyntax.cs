using System.Globalization;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Moments and spans as people write them.</summary>
internal static class TimeSyntax
{
    /// <summary>Reads ISO 8601, such as <c>2026-06-01</c> or <c>2026-06-01T12:00:00Z</c>; UTC when it does not say otherwise.</summary>
    public static bool TryParse(string text, out DateTimeOffset time, out string problem)
    {
        problem = $"'{text}' is no time: write it as 2026-06-01 or 2026-06-01T12:00:00Z.";
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    /// <summary>Reads <c>30m</c>, <c>24h</c> or <c>7d</c>.</summary>
    public static bool TryParseSpan(string text, out TimeSpan span, out string problem)
    {
        span = default;
        problem = $"'{text}' is no span of time: write a whole number and m, h or d, such as 24h.";
        if (text.Length < 2 || !int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number > 1_000_000)
            return false;
        TimeSpan? unit = text[^1] switch { 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), 'd' => TimeSpan.FromDays(1), _ => null };
        span = number * unit.GetValueOrDefault();
        return unit is not null;
    }
}
