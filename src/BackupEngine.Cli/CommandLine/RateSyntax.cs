namespace BackupEngine.Cli.CommandLine;

/// <summary>Rates as people write them: a size, and <c>/s</c> if they like.</summary>
internal static class RateSyntax
{
    private const string PerSecond = "/s";

    /// <summary>Reads <c>50MiB/s</c>, <c>50MiB</c> or <c>52428800</c>.</summary>
    public static bool TryParse(string text, out long bytesPerSecond, out string problem)
    {
        string size = text.EndsWith(PerSecond, StringComparison.OrdinalIgnoreCase) ? text[..^PerSecond.Length] : text;
        if (ByteSizeSyntax.TryParse(size, out bytesPerSecond, out problem) && bytesPerSecond > 0)
            return true;
        problem = $"'{text}' is no rate: write bytes, or a whole number and KiB, MiB, GiB or TiB, a second, such as 50MiB/s.";
        return false;
    }
}
