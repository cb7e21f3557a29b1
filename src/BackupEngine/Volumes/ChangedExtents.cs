using System.Globalization;

namespace BackupEngine.Volumes;

/// <summary>
/// Reads lists of changed extents from text: a line <c>OFFSET LENGTH</c> for each, two decimal numbers of bytes
/// with spaces or tabs between. Empty lines do not count, nor does anything from a <c>#</c> to the end of its line.
/// </summary>
public static class ChangedExtents
{
    /// <summary>More than two numbers, spaces and all need; a file without line ends is not a list of extents.</summary>
    private const int MaxLineLength = 128;

    /// <summary>Reads a list to its end. Extents come in the text's order; those that touch their predecessor are joined to it.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ChangedExtentsFormatException">A line is no extent, or one that ends beyond 2^63 - 1.</exception>
    public static async Task<IReadOnlyList<VolumeExtent>> ReadAsync(TextReader reader, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var extents = new List<VolumeExtent>();
        var buffer = new char[8192];
        var line = new char[MaxLineLength];
        int length = 0;
        int lineNumber = 1;
        bool inComment = false;
        int read;
        while ((read = await reader.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            for (int i = 0; i < read; i++)
            {
                char character = buffer[i];
                if (character == '\n')
                {
                    AddLine(extents, line.AsSpan(0, length), lineNumber);
                    lineNumber++;
                    length = 0;
                    inComment = false;
                    continue;
                }
                inComment |= character == '#';
                if (inComment)
                    continue;
                if (length == MaxLineLength)
                    throw new ChangedExtentsFormatException(lineNumber, $"it is longer than {MaxLineLength} characters");
                line[length++] = character;
            }
        }
        AddLine(extents, line.AsSpan(0, length), lineNumber);
        return extents;
    }

    private static void AddLine(List<VolumeExtent> extents, ReadOnlySpan<char> line, int lineNumber)
    {
        line = line.Trim();
        if (line.IsEmpty)
            return;
        int gap = line.IndexOfAny(' ', '\t');
        if (gap < 0
            || !long.TryParse(line[..gap], NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            || !long.TryParse(line[gap..].TrimStart(), NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            throw new ChangedExtentsFormatException(lineNumber, $"'{Printable(line)}' is not two numbers of bytes, OFFSET LENGTH");
        }
        if (length > long.MaxValue - offset)
            throw new ChangedExtentsFormatException(lineNumber, $"{length} bytes at offset {offset} end beyond what a volume can have");
        if (extents.Count > 0 && extents[^1] is var last && last.End == offset)
            extents[^1] = last with { Length = last.Length + length };
        else
            extents.Add(new VolumeExtent(offset, length));
    }

    // Messages go to terminals, and the file may be anything.
    private static string Printable(ReadOnlySpan<char> text)
    {
        Span<char> safe = stackalloc char[text.Length];
        for (int i = 0; i < text.Length; i++)
            safe[i] = char.IsControl(text[i]) ? '?' : text[i];
        return safe.ToString();
    }
}
