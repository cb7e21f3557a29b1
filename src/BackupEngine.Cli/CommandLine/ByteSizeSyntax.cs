using System.Globalization;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Sizes as people write them: plain bytes, or a whole number with a binary unit.</summary>
internal static class ByteSizeSyntax
{
    /// <summary>Reads <c>65536</c>, <c>64KiB</c>, <c>64K</c>, <c>1MiB</c>, <c>2GiB</c>, <c>1TiB</c>, in any case.</summary>
    public static bool TryParse(string text, out long bytes, out string problem)
    {
        bytes = 0;
        problem = $"'{text}' is no size: write bytes, or a whole number and KiB, MiB, GiB or TiB, such as 65536 or 64KiB.";
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
            digits++;

        string unit = text[digits..].TrimStart().ToUpperInvariant();
        if (unit is "KB" or "MB" or "GB" or "TB")
        {
            // A decimal unit would silently be another size than the reader of a script expects.
            problem = $"'{text}' could mean two sizes: write {text[..digits]}{unit[0]}iB (binary), or the bytes.";
            return false;
        }

        int shift = unit switch
        {
            "" or "B" => 0,
            "K" or "KIB" => 10,
            "M" or "MIB" => 20,
            "G" or "GIB" => 30,
            "T" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return false;
        if (number > long.MaxValue >> shift)
        {
            problem = $"'{text}' is too large a size.";
            return false;
        }

        bytes = number << shift;
        return true;
    }
}
