using System.Collections.Concurrent;

namespace BackupEngine.Buffers;

/// <summary>
/// A bounded set of equal buffers of native memory. Renting waits when all are out: this is what holds a fast reader back to the speed of a slow store.
/// </summary>
internal sealed class BufferPool : IDisposable
{
    private readonly ConcurrentStack<NativeBuffer> _free = new();
    private readonly SemaphoreSlim _available;
    private readonly int _capacity;

    /// <summary>Makes a pool; buffers are allocated when first needed.</summary>
    /// <param name="bufferSize">Bytes in a buffer.</param>
    /// <param name="capacity">How many buffers there may be.</param>
    public BufferPool(int bufferSize, int capacity)
    {
        BufferSize = bufferSize;
        _capacity = capacity;
        _available = new SemaphoreSlim(capacity, capacity);
    }

    public int BufferSize { get; }

    /// <summary>Takes a buffer, of unknown content; give it back with <see cref="Return"/>.</summary>
    public async ValueTask<NativeBuffer> RentAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _free.TryPop(out NativeBuffer? buffer) ? buffer : new NativeBuffer(BufferSize);
    }

    /// <summary>Gives a buffer back; nobody may use its memory any more.</summary>
    public void Return(NativeBuffer buffer)
    {
        _free.Push(buffer);
        _available.Release();
    }

    /// <summary>Frees the memory; every buffer must have been returned.</summary>
    public void Dispose()
    {
        System.Diagnostics.Debug.Assert(_available.CurrentCount == _capacity, "A buffer is still out.");
        while (_free.TryPop(out NativeBuffer? buffer))
            ((IDisposable)buffer).Dispose();
        _available.Dispose();
    }
}
