using BackupEngine.Format;

namespace BackupEngine.Manifests;

/// <summary>The map of 256 consecutive chunks, decoded. Made once by each who needs one, and used again for page after page.</summary>
internal sealed class Page
{
    private readonly MapEntry[] _entries = new MapEntry[PageFormat.ChunksPerPage];

    /// <summary>What is known of each chunk; those past the volume's end are zero.</summary>
    public Span<MapEntry> Entries => _entries;

    public ref MapEntry this[int index] => ref _entries[index];

    public bool IsZero => !_entries.AsSpan().ContainsAnyExcept(default(MapEntry));

    public void Clear() => _entries.AsSpan().Clear();

    /// <summary>Writes the page; zeros at its end are left out.</summary>
    /// <param name="destination">Room for <see cref="PageFormat.MaxPageLength"/> bytes.</param>
    /// <param name="digestLength">Bytes of each digest.</param>
    /// <returns>Bytes written; 0 for a page of zeros.</returns>
    public int Encode(Span<byte> destination, int digestLength)
    {
        var writer = new MapCodec.Writer(destination, digestLength);
        ReadOnlySpan<MapEntry> rest = _entries;
        while (!rest.IsEmpty)
        {
            int zeros = rest.IndexOfAnyExcept(default(MapEntry));
            if (zeros < 0)
                break;
            if (zeros > 0)
                writer.WriteZeros(zeros);

            rest = rest[zeros..];
            int run = rest.IndexOf(default(MapEntry));
            run = run < 0 ? rest.Length : run;
            writer.BeginRun(run);
            foreach (ref readonly MapEntry entry in rest[..run])
                writer.WriteEntry(entry.Location, entry.Digest);
            rest = rest[run..];
        }

        return writer.Length;
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    /// <param name="source">The page's bytes.</param>
    /// <param name="digestLength">Bytes of each digest.</param>
    /// <returns>False when the bytes are no page.</returns>
    public bool TryDecode(ReadOnlySpan<byte> source, int digestLength)
    {
        Clear();
        var reader = new MapCodec.Reader(source, digestLength);
        int index = 0;
        while (!reader.AtEnd)
        {
            if (!reader.TryReadRun(out bool isZeros, out long count) || count > PageFormat.ChunksPerPage - index)
                return false;
            if (isZeros)
            {
                index += (int)count;
                continue;
            }

            for (; count > 0; count--, index++)
            {
                if (!reader.TryReadEntry(out var location, out var digest))
                    return false;
                _entries[index] = new MapEntry(location, digest);
            }
        }

        return true;
    }
}
