using BackupEngine.Volumes;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A volume of any size, of which only the blocks with data take memory.</summary>
public sealed class SparseVolume : IWritableVolume
{
    public const int BlockSize = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, byte[]> _blocks = [];
    private readonly SortedSet<long> _numbers = [];
    private long _bytesRead;
    private bool _isZeroed = true;

    public SparseVolume(long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        SizeBytes = sizeBytes;
    }

    public string Name { get; init; } = "sparse";

    public long SizeBytes { get; }

    public bool IsZeroed
    {
        get
        {
            lock (_lock)
                return _isZeroed;
        }
    }

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public int AllocatedBlocks
    {
        get
        {
            lock (_lock)
                return _blocks.Count;
        }
    }

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, destination.Length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        lock (_lock)
        {
            foreach (Piece piece in Pieces(offset, destination.Length))
            {
                Span<byte> part = destination.Span.Slice((int)(piece.Offset - offset), piece.Length);
                if (_blocks.TryGetValue(piece.Block, out byte[]? block))
                    block.AsSpan(piece.Start, piece.Length).CopyTo(part);
                else
                    part.Clear();
            }
        }
        Interlocked.Add(ref _bytesRead, destination.Length);
        return ValueTask.CompletedTask;
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, 0);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<VolumeExtent?>(cancellationToken);
        VolumeExtent? extent = null;
        lock (_lock)
        {
            foreach (long number in _numbers.GetViewBetween(offset / BlockSize, long.MaxValue))
            {
                long start = Math.Max(offset, number * BlockSize);
                if (extent is { } sofar && sofar.End != start)
                    break;
                long end = Math.Min(SizeBytes, number * BlockSize + BlockSize);
                extent = new VolumeExtent(extent?.Offset ?? start, end - (extent?.Offset ?? start));
            }
        }
        return ValueTask.FromResult(extent is { Length: > 0 } ? extent : null);
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, source.Length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        lock (_lock)
        {
            _isZeroed = false;
            foreach (Piece piece in Pieces(offset, source.Length))
            {
                if (!_blocks.TryGetValue(piece.Block, out byte[]? block))
                {
                    _blocks[piece.Block] = block = new byte[BlockSize];
                    _numbers.Add(piece.Block);
                }
                source.Span.Slice((int)(piece.Offset - offset), piece.Length).CopyTo(block.AsSpan(piece.Start));
            }
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (length == 0)
            return ValueTask.CompletedTask;
        long end = offset + length;
        lock (_lock)
        {
            foreach (long number in _numbers.GetViewBetween(offset / BlockSize, (end - 1) / BlockSize).ToArray())
            {
                long start = Math.Max(offset, number * BlockSize) - number * BlockSize;
                long stop = Math.Min(end, number * BlockSize + BlockSize) - number * BlockSize;
                if (start == 0 && (stop == BlockSize || end == SizeBytes))
                {
                    _blocks.Remove(number);
                    _numbers.Remove(number);
                }
                else
                {
                    _blocks[number].AsSpan((int)start, (int)(stop - start)).Clear();
                }
            }
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static IEnumerable<Piece> Pieces(long offset, int length)
    {
        long end = offset + length;
        while (offset < end)
        {
            int start = (int)(offset % BlockSize);
            int size = (int)Math.Min(BlockSize - start, end - offset);
            yield return new Piece(offset / BlockSize, offset, start, size);
            offset += size;
        }
    }

    private readonly record struct Piece(long Block, long Offset, int Start, int Length);
}
