using BackupEngine.Volumes;

namespace CustomVolume;

/// <summary>A snapshot as the engine reads it: any range, from many threads, with its holes.</summary>
internal sealed class SnapshotVolume(string name, byte[]?[] blocks) : IVolume
{
    public string Name => name;

    public long SizeBytes => (long)blocks.Length * LiveImage.BlockSize;

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (!destination.IsEmpty)
        {
            (long block, long within) = Math.DivRem(offset, LiveImage.BlockSize);
            int count = (int)Math.Min(LiveImage.BlockSize - within, destination.Length);
            if (blocks[block] is { } content)
                content.AsMemory((int)within, count).CopyTo(destination);
            else
                destination.Span[..count].Clear();
            destination = destination[count..];
            offset += count;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        long first = offset / LiveImage.BlockSize;
        while (first < blocks.Length && blocks[first] is null)
            first++;
        if (first == blocks.Length)
            return new((VolumeExtent?)null);

        long end = first;
        while (end < blocks.Length && blocks[end] is not null)
            end++;
        long start = Math.Max(offset, first * LiveImage.BlockSize);
        return new(new VolumeExtent(start, (end * LiveImage.BlockSize) - start));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
