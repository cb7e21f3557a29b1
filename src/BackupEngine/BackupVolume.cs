using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>A backup as a volume that can only be read.</summary>
internal sealed class BackupVolume(BackupStream stream) : IVolume
{
    public string Name { get; } = stream.Name;

    public long SizeBytes => stream.Length;

    public async ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, destination.Length);
        await stream.ReadAtAsync(destination, offset, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, 0);
        return offset == SizeBytes ? ValueTask.FromResult<VolumeExtent?>(null) : stream.FindDataAsync(offset, cancellationToken);
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private void CheckRange(long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (offset > SizeBytes || length > SizeBytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at offset {offset} are not all inside {Name}, which has {SizeBytes} bytes");
    }
}
