using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>A part of a pack that is fetched with one request, and which of the wanted chunks are in it.</summary>
/// <param name="Pack">The pack.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Number of bytes.</param>
/// <param name="First">Index of the first chunk in the sorted list.</param>
/// <param name="Count">How many chunks.</param>
internal readonly record struct FetchRange(PackId Pack, long Offset, int Length, int First, int Count);

/// <summary>Turns wanted chunks into few requests: frames that lie near each other in a pack are fetched together.</summary>
internal static class FetchPlan
{
    /// <summary>Bytes between two wanted frames that are rather fetched than asked around: about what a store sends in the time of one request.</summary>
    public const int MaxGap = 64 << 10;

    /// <summary>Sorts chunks by where they are, and cuts them into ranges.</summary>
    /// <param name="chunks">The wanted chunks; sorted when this returns.</param>
    /// <param name="maxLength">Bytes of a range at the most, unless a single frame is longer.</param>
    public static List<FetchRange> Build(Span<WantedChunk> chunks, int maxLength)
    {
        chunks.Sort(WantedChunk.CompareByLocation);
        var ranges = new List<FetchRange>();
        for (int first = 0; first < chunks.Length;)
        {
            FrameLocation start = chunks[first].Location;
            long end = start.End;
            int next = first + 1;
            while (next < chunks.Length && chunks[next].Location is var location && location.Pack == start.Pack
                && location.Offset - end <= MaxGap && Math.Max(end, location.End) - start.Offset <= maxLength)
            {
                end = Math.Max(end, location.End);
                next++;
            }

            ranges.Add(new FetchRange(start.Pack, start.Offset, (int)(end - start.Offset), first, next - first));
            first = next;
        }

        return ranges;
    }
}
