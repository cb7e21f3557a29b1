using BackupEngine.Volumes;

namespace BackupEngine.Limits;

/// <summary>A volume behind a gate. Disposing of it disposes of nothing.</summary>
internal sealed class GatedVolume(IVolume inner, OperationGate gate) : IVolume
{
    public string Name => inner.Name;

    public long SizeBytes => inner.SizeBytes;

    public async ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        await gate.PassReadAsync(destination.Length, cancellationToken).ConfigureAwait(false);
        await inner.ReadAsync(destination, offset, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => inner.FindAllocatedAsync(offset, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
