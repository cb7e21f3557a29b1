using System.Runtime.CompilerServices;
using BackupEngine.Diagnostics;

namespace BackupEngine.Volumes;

/// <summary>The target of a restore, held to its contract as <see cref="CheckedVolume"/> does it. Disposing of it disposes of nothing.</summary>
internal sealed class CheckedWritableVolume : IWritableVolume
{
    private readonly IWritableVolume _inner;
    private readonly CheckedVolume _reading;

    private CheckedWritableVolume(IWritableVolume inner)
    {
        _inner = inner;
        _reading = CheckedVolume.Of(inner);
    }

    public string Name => _reading.Name;

    public long SizeBytes => _reading.SizeBytes;

    public bool IsZeroed
    {
        get
        {
            try
            {
                return _inner.IsZeroed;
            }
            catch (Exception e) when (ForeignErrors.IsForeign(e, CancellationToken.None))
            {
                throw _reading.Wrap(e, "tell whether it is zeroed");
            }
        }
    }

    /// <summary>Wraps a target.</summary>
    /// <exception cref="VolumeException">Its size is negative, or it could not be asked.</exception>
    public static CheckedWritableVolume Of(IWritableVolume volume) => volume as CheckedWritableVolume ?? new CheckedWritableVolume(volume);

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default) => _reading.ReadAsync(destination, offset, cancellationToken);

    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default) => _reading.FindAllocatedAsync(offset, cancellationToken);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        try
        {
            await _inner.WriteAsync(source, offset, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw _reading.Wrap(e, $"write {source.Length} bytes at offset {offset}");
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        try
        {
            await _inner.WriteZerosAsync(offset, length, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw _reading.Wrap(e, $"write {length} zeros at offset {offset}");
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _inner.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw _reading.Wrap(e, "flush what was written");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
