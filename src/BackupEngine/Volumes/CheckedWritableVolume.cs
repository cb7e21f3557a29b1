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

    public ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        ValueTask pending;
        try
        {
            pending = _inner.WriteAsync(source, offset, cancellationToken);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                return ValueTask.CompletedTask;
            }
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw WrapWrite(e, source.Length, offset);
        }

        return AwaitWriteAsync(pending, source.Length, offset, cancellationToken);
    }

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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitWriteAsync(ValueTask pending, int length, long offset, CancellationToken cancellationToken)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw WrapWrite(e, length, offset);
        }
    }

    private VolumeException WrapWrite(Exception error, int length, long offset) => _reading.Wrap(error, $"write {length} bytes at offset {offset}");
}
