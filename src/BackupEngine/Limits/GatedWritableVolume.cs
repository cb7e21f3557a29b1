using BackupEngine.Volumes;

namespace BackupEngine.Limits;

/// <summary>A target behind a gate. Disposing of it disposes of nothing.</summary>
internal sealed class GatedWritableVolume(IWritableVolume inner, OperationGate gate) : IWritableVolume
{
    private readonly GatedVolume _reading = new(inner, gate);

    public string Name => inner.Name;

    public long SizeBytes => inner.SizeBytes;

    public bool IsZeroed => inner.IsZeroed;

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default) => _reading.ReadAsync(destination, offset, cancellationToken);

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => inner.FindAllocatedAsync(offset, cancellationToken);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        await inner.WriteAsync(source, offset, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        await inner.WriteZerosAsync(offset, length, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
