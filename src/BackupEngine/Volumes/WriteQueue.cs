using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>
/// Writes to a file, one at a time: Linux lets one writer at a time into a file, and those that wait for it in the kernel burn their processors. Who comes while
/// another writes leaves his write to that one, and his thread is free for other work.
/// </summary>
internal sealed class WriteQueue(string name, SafeFileHandle handle)
{
    /// <summary>Writes of others that one does in a row before his own call returns.</summary>
    private const int MaxTurns = 32;

    private readonly Queue<Write> _waiting = new();
    private bool _isWriting;

    /// <summary>Writes all of some memory, which must stay as it is until then.</summary>
    /// <exception cref="VolumeException">It could not be written.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset)
    {
        lock (_waiting)
        {
            if (_isWriting)
            {
                var write = new Write(source, offset);
                _waiting.Enqueue(write);
                return new ValueTask(write.Task);
            }

            _isWriting = true;
        }

        Exception? error = TryWrite(source, offset);
        WriteWaiting();
        return error is null ? ValueTask.CompletedTask : ValueTask.FromException(error);
    }

    private void WriteWaiting()
    {
        for (int turn = 0; turn < MaxTurns; turn++)
        {
            Write? next;
            lock (_waiting)
            {
                _isWriting = _waiting.TryDequeue(out next);
            }

            if (next is null)
                return;
            if (TryWrite(next.Source, next.Offset) is { } error)
                next.SetException(error);
            else
                next.SetResult();
        }

        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.WriteWaiting(), this, preferLocal: false);
    }

    /// <summary>Every error is somebody's who waits for it.</summary>
    private Exception? TryWrite(ReadOnlyMemory<byte> source, long offset)
    {
        try
        {
            RandomAccess.Write(handle, source.Span, offset);
            return null;
        }
        catch (Exception error)
        {
            return VolumeErrors.IsSystemError(error) ? VolumeErrors.Transfer(name, "write to", offset, source.Length, error) : error;
        }
    }

    private sealed class Write(ReadOnlyMemory<byte> source, long offset) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public ReadOnlyMemory<byte> Source => source;

        public long Offset => offset;
    }
}
