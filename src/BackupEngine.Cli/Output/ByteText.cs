using System.Globalization;

namespace BackupEngine.Cli.Output;

/// <summary>Sizes, rates and durations for people; scripts get plain numbers from <c>--json</c>.</summary>
internal static class ByteText
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Such as <c>512 B</c>, <c>1.5 KiB</c>, <c>4.0 GiB</c>.</summary>
    public static string Of(long bytes)
    {
        int unit = 0;
        double value = bytes;
        // 1023.95 and more would round to 1024.0 of this unit.
        while (value >= (unit == 0 ? 1024 : 1023.95) && unit < _units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return unit == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
            : string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {_units[unit]}");
    }

    /// <summary>Such as <c>512.0 MiB/s</c>; a dash when no time has passed.</summary>
    public static string Rate(long bytes, double seconds) => seconds > 0 ? $"{Of((long)(bytes / seconds))}/s" : "-";

    /// <summary>Such as <c>0.42 s</c>, <c>12.3 s</c>, <c>3 min 05 s</c>, <c>2 h 03 min</c>.</summary>
    public static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(seconds);
        return seconds switch
        {
            < 9.995 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s"),
            < 59.95 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
            < 3600 => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds:00} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes:00} min"),
        };
    }
}
