using BackupEngine.Volumes;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A volume in an array, with holes of whole blocks; it counts what is done to it.</summary>
public sealed class MemoryVolume : IWritableVolume
{
    private readonly byte[] _content;
    private readonly bool[] _allocated;
    private readonly int _blockSize;
    private long _bytesRead;
    private long _bytesWritten;
    private long _bytesZeroed;
    private int _flushes;
    private volatile bool _isZeroed;

    /// <summary>A new volume that is one hole.</summary>
    public MemoryVolume(int sizeBytes, int blockSize = 4096)
        : this(new byte[sizeBytes], new bool[BlockCount(sizeBytes, blockSize)], blockSize)
    {
        _isZeroed = true;
    }

    /// <summary>A volume with a copy of some content, and holes where whole blocks of it are zero.</summary>
    public MemoryVolume(ReadOnlySpan<byte> content, int blockSize = 4096)
        : this(content.ToArray(), FindData(content, blockSize), blockSize)
    {
    }

    /// <summary>A volume of that very array; blocks that are not marked as allocated must be zero.</summary>
    public MemoryVolume(byte[] content, bool[] allocated, int blockSize)
    {
        _content = content;
        _allocated = allocated;
        _blockSize = blockSize;
    }

    public string Name { get; init; } = "memory";

    public long SizeBytes => _content.Length;

    public bool IsZeroed => _isZeroed;

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    public long BytesZeroed => Interlocked.Read(ref _bytesZeroed);

    public int Flushes => Volatile.Read(ref _flushes);

    public byte[] ToArray() => [.. _content];

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, destination.Length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        _content.AsSpan((int)offset, destination.Length).CopyTo(destination.Span);
        Interlocked.Add(ref _bytesRead, destination.Length);
        return ValueTask.CompletedTask;
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, 0);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<VolumeExtent?>(cancellationToken);
        int first = (int)(offset / _blockSize);
        while (first < _allocated.Length && !_allocated[first])
            first++;
        int after = first;
        while (after < _allocated.Length && _allocated[after])
            after++;
        long start = Math.Max(offset, (long)first * _blockSize);
        long end = Math.Min(SizeBytes, (long)after * _blockSize);
        return ValueTask.FromResult<VolumeExtent?>(start < end ? new VolumeExtent(start, end - start) : null);
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, source.Length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        _isZeroed = false;
        source.Span.CopyTo(_content.AsSpan((int)offset));
        int end = (int)offset + source.Length;
        for (int block = (int)offset / _blockSize; (long)block * _blockSize < end; block++)
            _allocated[block] = true;
        Interlocked.Add(ref _bytesWritten, source.Length);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        VolumeRange.Check(this, offset, length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        _content.AsSpan((int)offset, (int)length).Clear();
        long end = offset + length;
        for (int block = BlockCount((int)offset, _blockSize); block < _allocated.Length; block++)
        {
            if (Math.Min(SizeBytes, (block + 1L) * _blockSize) > end)
                break;
            _allocated[block] = false;
        }
        Interlocked.Add(ref _bytesZeroed, length);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        Interlocked.Increment(ref _flushes);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal static int BlockCount(int sizeBytes, int blockSize) => (int)((sizeBytes + (long)blockSize - 1) / blockSize);

    private static bool[] FindData(ReadOnlySpan<byte> content, int blockSize)
    {
        var allocated = new bool[BlockCount(content.Length, blockSize)];
        for (int block = 0; block < allocated.Length; block++)
        {
            int start = block * blockSize;
            allocated[block] = content.Slice(start, Math.Min(blockSize, content.Length - start)).ContainsAnyExcept((byte)0);
        }
        return allocated;
    }
}
