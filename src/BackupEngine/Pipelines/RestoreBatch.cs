using System.Buffers;

namespace BackupEngine.Pipelines;

/// <summary>The wanted chunks of a stretch of the volume, kept until the last of their ranges is restored.</summary>
internal sealed class RestoreBatch
{
    private WantedChunk[] _chunks;
    private int _count;
    private int _rangesLeft;

    public RestoreBatch(int capacity) => _chunks = ArrayPool<WantedChunk>.Shared.Rent(Math.Max(capacity, 1));

    public ReadOnlySpan<WantedChunk> GetChunks(FetchRange range) => _chunks.AsSpan(range.First, range.Count);

    public void Add(WantedChunk chunk) => _chunks[_count++] = chunk;

    /// <summary>Cuts the batch into ranges; <see cref="Complete"/> must be called once for each.</summary>
    public List<FetchRange> Plan(int maxLength)
    {
        List<FetchRange> ranges = FetchPlan.Build(_chunks.AsSpan(0, _count), maxLength);
        _rangesLeft = ranges.Count;
        if (ranges.Count == 0)
            Free();
        return ranges;
    }

    public void Complete()
    {
        if (Interlocked.Decrement(ref _rangesLeft) == 0)
            Free();
    }

    private void Free()
    {
        ArrayPool<WantedChunk>.Shared.Return(_chunks);
        _chunks = [];
    }
}
