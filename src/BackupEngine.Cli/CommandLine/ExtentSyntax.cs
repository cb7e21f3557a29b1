using BackupEngine.Volumes;

namespace BackupEngine.Cli.CommandLine;

/// <summary>A byte range as <c>OFFSET:LENGTH</c>.</summary>
internal static class ExtentSyntax
{
    /// <summary>Reads <c>0:512</c> or <c>1GiB:64KiB</c>; the range holds at least one byte.</summary>
    public static bool TryParse(string text, out VolumeExtent extent, out string problem)
    {
        extent = default;
        problem = $"'{text}' is no byte range: write OFFSET:LENGTH, such as 0:512 or 1GiB:64KiB.";
        string[] parts = text.Split(':');
        if (parts.Length != 2
            || !ByteSizeSyntax.TryParse(parts[0], out long offset, out _)
            || !ByteSizeSyntax.TryParse(parts[1], out long length, out _)
            || length == 0
            || offset > long.MaxValue - length)
            return false;

        extent = new VolumeExtent(offset, length);
        return true;
    }
}
