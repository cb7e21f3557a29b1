using System.Runtime.CompilerServices;
using BackupEngine.Diagnostics;

namespace BackupEngine.Volumes;

/// <summary>
/// Every operation reads volumes through this: it holds a custom volume to the contract of <see cref="IVolume"/> and turns every other failure into a
/// <see cref="VolumeException"/> that names the volume. Calls that finish at once allocate nothing. Disposing of it disposes of nothing.
/// </summary>
internal sealed class CheckedVolume : IVolume, IVolumeVersion
{
    private readonly IVolume _inner;

    private CheckedVolume(IVolume inner)
    {
        _inner = inner;
        (Name, SizeBytes) = Describe(inner);
        if (SizeBytes < 0)
            throw new VolumeException(Name, $"{Name} has a size of {SizeBytes} bytes: a volume's size cannot be negative");
    }

    public string Name { get; }

    /// <summary>The size when the operation began; every call checks that it is still the same.</summary>
    public long SizeBytes { get; }

    /// <summary>Wraps a volume.</summary>
    /// <exception cref="VolumeException">Its size is negative, or it could not be asked.</exception>
    public static CheckedVolume Of(IVolume volume) => volume as CheckedVolume ?? new CheckedVolume(volume);

    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        ValueTask pending;
        try
        {
            pending = _inner.ReadAsync(destination, offset, cancellationToken);
            if (pending.IsCompletedSuccessfully)
            {
                pending.GetAwaiter().GetResult();
                CheckSize(_inner.SizeBytes);
                return ValueTask.CompletedTask;
            }
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw WrapRead(e, destination.Length, offset);
        }

        return AwaitReadAsync(pending, destination.Length, offset, cancellationToken);
    }

    public async ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        // Whoever walks through the extents of a volume that ignores the token must still come to an end.
        cancellationToken.ThrowIfCancellationRequested();
        VolumeExtent? found;
        try
        {
            ValueTask<VolumeExtent?> pending = _inner.FindAllocatedAsync(offset, cancellationToken);
            found = pending.IsCompleted
                ? await pending.ConfigureAwait(false)
                : await pending.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            CheckSize(_inner.SizeBytes);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, $"find allocated extents from offset {offset}");
        }

        if (found is not { } extent)
            return null;
        string? problem = extent.Length <= 0 ? "it is empty"
            : extent.Offset < offset ? "it starts before that offset"
            : extent.Offset >= SizeBytes || extent.Length > SizeBytes - extent.Offset ? $"it does not end inside the volume of {SizeBytes} bytes"
            : null;
        return problem is null
            ? extent
            : throw new VolumeException(
                Name, $"{Name} broke the contract of FindAllocatedAsync: asked from offset {offset}, it returned an extent of {extent.Length} bytes at offset {extent.Offset}, but {problem}");
    }

    public async ValueTask<string?> GetChangeTokenAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return _inner is IVolumeVersion version ? await version.GetChangeTokenAsync(cancellationToken).ConfigureAwait(false) : null;
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, "get the change token");
        }
    }

    public async ValueTask<string?> FindWriterAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return _inner is IVolumeVersion version ? await version.FindWriterAsync(cancellationToken).ConfigureAwait(false) : null;
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, "find out what writes to it");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal VolumeException Wrap(Exception error, string action) =>
        new(Name, $"{Name} failed to {action}: {ForeignErrors.Describe(error)}", error, ForeignErrors.IsTransient(error));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AwaitReadAsync(ValueTask pending, int length, long offset, CancellationToken cancellationToken)
    {
        try
        {
            await pending.ConfigureAwait(false);
            CheckSize(_inner.SizeBytes);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw WrapRead(e, length, offset);
        }
    }

    private VolumeException WrapRead(Exception error, int length, long offset) => Wrap(error, $"read {length} bytes at offset {offset}");

    private void CheckSize(long sizeBytes)
    {
        if (sizeBytes != SizeBytes)
            throw new VolumeException(Name, $"{Name} had {SizeBytes} bytes when the operation began, and has {sizeBytes} now: the size of a volume must not change");
    }

    private static (string Name, long SizeBytes) Describe(IVolume volume)
    {
        string? name = null;
        try
        {
            name = volume.Name;
            return (name ?? "the volume without a name", volume.SizeBytes);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, CancellationToken.None))
        {
            name ??= volume.GetType().Name;
            throw new VolumeException(name, $"{name} failed to tell its name and size: {ForeignErrors.Describe(e)}", e, ForeignErrors.IsTransient(e));
        }
    }
}
