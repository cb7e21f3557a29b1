namespace BackupEngine.Volumes;

/// <summary>A volume whose holes are read like data, because its storage may report holes that it does not have. Disposing of it disposes of nothing.</summary>
internal sealed class UnsparseVolume(IVolume inner) : IVolume
{
    public string Name => inner.Name;

    public long SizeBytes => inner.SizeBytes;

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default) => inner.ReadAsync(destination, offset, cancellationToken);

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<VolumeExtent?>(offset < SizeBytes ? new VolumeExtent(offset, SizeBytes - offset) : null);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
