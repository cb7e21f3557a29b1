using BackupEngine.Volumes;

namespace BackupEngine.Tests.Limits;

/// <summary>A volume that tells of every read and write before it does it.</summary>
internal sealed class WatchedVolume(IWritableVolume inner, Func<long, CancellationToken, ValueTask> before) : IWritableVolume
{
    public string Name => inner.Name;

    public long SizeBytes => inner.SizeBytes;

    public bool IsZeroed => inner.IsZeroed;

    public async ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        await before(offset, cancellationToken);
        await inner.ReadAsync(destination, offset, cancellationToken);
    }

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => inner.FindAllocatedAsync(offset, cancellationToken);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        await before(offset, cancellationToken);
        await inner.WriteAsync(source, offset, cancellationToken);
    }

    public async ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        await before(offset, cancellationToken);
        await inner.WriteZerosAsync(offset, length, cancellationToken);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
