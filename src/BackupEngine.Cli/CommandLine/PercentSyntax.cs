using System.Globalization;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Parts as people write them: <c>5%</c>, <c>0.5%</c> or <c>5</c>.</summary>
internal static class PercentSyntax
{
    /// <summary>Reads more than 0 to 100 percent.</summary>
    public static bool TryParse(string text, out double percent, out string problem)
    {
        problem = $"'{text}' is no part: write percent, more than 0 and 100 at the most, such as 5%.";
        return double.TryParse(text.EndsWith('%') ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out percent) && percent is > 0 and <= 100;
    }
}
