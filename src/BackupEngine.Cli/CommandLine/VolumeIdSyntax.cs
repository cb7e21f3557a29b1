using System.Buffers;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Volume ids become part of object keys, so not every string is one.</summary>
internal static class VolumeIdSyntax
{
    private const int MaxLength = 128;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public static bool TryParse(string text, out string id, out string problem)
    {
        id = text;
        problem = $"'{text}' is no volume id: 1 to {MaxLength} letters, digits, '.', '_' and '-', of which the first is a letter or digit.";
        return text.Length is > 0 and <= MaxLength && char.IsAsciiLetterOrDigit(text[0]) && !text.AsSpan().ContainsAnyExcept(_allowed);
    }
}
