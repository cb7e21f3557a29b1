using System.Collections.Concurrent;
using BackupEngine.Catalog;
using BackupEngine.Pipelines;
using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>
/// A backup as a seekable, read-only stream. <see cref="ReadAtAsync"/> is safe to call from many threads at once; the members of <see cref="Stream"/>, which share one
/// position, are for one caller at a time.
/// </summary>
public sealed class BackupStream : Stream
{
    /// <summary>Readers kept for the next positional reads; each holds about 2 MiB.</summary>
    private const int MaxIdleReaders = 16;

    private readonly OpenedBackup _backup;
    private readonly BackupReader _sequential;
    private readonly ConcurrentBag<BackupReader> _idle = [];
    private long _position;
    private int _isReading;
    private int _isDisposed;

    internal BackupStream(OpenedBackup backup)
    {
        _backup = backup;
        _sequential = new BackupReader(backup);
    }

    /// <inheritdoc/>
    public override bool CanRead => !IsDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => !IsDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <summary>Gets the size of the volume in bytes.</summary>
    public override long Length => _backup.Geometry.SizeBytes;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A read is in progress (setter).</exception>
    public override long Position
    {
        get => Volatile.Read(ref _position);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            MoveTo(value);
        }
    }

    internal string Name => $"backup {_backup.Current.Backup.Id}";

    private bool IsDisposed => Volatile.Read(ref _isDisposed) != 0;

    /// <inheritdoc/>
    /// <exception cref="IOException">The position would be negative.</exception>
    /// <exception cref="InvalidOperationException">A read is in progress.</exception>
    public override long Seek(long offset, SeekOrigin origin)
    {
        long position = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => Position, _ => Length };
        if (position < 0)
            throw new IOException("A stream cannot be positioned before its beginning.");
        MoveTo(position);
        return position;
    }

    /// <summary>Reads from the current position, and advances it. A call may read less than the buffer holds.</summary>
    /// <param name="buffer">Takes the bytes.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>How many bytes were read; 0 at the end.</returns>
    /// <exception cref="InvalidOperationException">Another read of this stream is in progress.</exception>
    /// <exception cref="BackupStateException">The backup was deleted after the stream was opened.</exception>
    /// <exception cref="CorruptionException">Something that the backup needs is missing or damaged.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
#pragma warning disable RS0027 // The overloads are those of Stream.
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
#pragma warning restore RS0027
    {
        Enter();
        try
        {
            if (_position >= Length || buffer.IsEmpty)
                return 0;
            int count = await _sequential.ReadAsync(buffer, _position, 1, cancellationToken).ConfigureAwait(false);
            _position += count;
            return count;
        }
        finally
        {
            Leave();
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    /// <remarks>Nothing below runs on the caller's synchronization context, so waiting cannot deadlock.</remarks>
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>Reads from an offset; the stream's position does not matter and does not change. Safe to call from many threads at once.</summary>
    /// <param name="buffer">Takes the bytes; filled to its end unless the backup ends first.</param>
    /// <param name="offset">The first byte, from 0.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>How many bytes were read; less than the buffer holds only at the end of the backup.</returns>
    /// <exception cref="BackupStateException">The backup was deleted after the stream was opened.</exception>
    /// <exception cref="CorruptionException">Something that the backup needs is missing or damaged.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public async ValueTask<int> ReadAtAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        BackupReader reader = Rent();
        try
        {
            int filled = 0;
            while (filled < buffer.Length && offset + filled < Length)
                filled += await reader.ReadAsync(buffer[filled..], offset + filled, buffer.Length - filled, cancellationToken).ConfigureAwait(false);
            return filled;
        }
        finally
        {
            Return(reader);
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is ever written.
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException("A backup cannot be changed.");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A backup cannot be changed.");

    internal async ValueTask<VolumeExtent?> FindDataAsync(long offset, CancellationToken cancellationToken)
    {
        BackupReader reader = Rent();
        try
        {
            return await reader.FindDataAsync(offset, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Return(reader);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            // A read in progress frees its reader itself when it ends.
            if (Interlocked.CompareExchange(ref _isReading, 1, 0) == 0)
                _sequential.Dispose();
            Drain();
        }

        base.Dispose(disposing);
    }

    private void MoveTo(long position)
    {
        Enter();
        _position = position;
        Leave();
    }

    private void Enter()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (Interlocked.CompareExchange(ref _isReading, 1, 0) != 0)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            throw new InvalidOperationException("Another read of this stream is in progress: call ReadAtAsync for concurrent reads, or open a stream for each reader.");
        }
    }

    private void Leave()
    {
        Volatile.Write(ref _isReading, 0);
        if (IsDisposed && Interlocked.CompareExchange(ref _isReading, 1, 0) == 0)
            _sequential.Dispose();
    }

    private BackupReader Rent()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return _idle.TryTake(out BackupReader? reader) ? reader : new BackupReader(_backup);
    }

    private void Return(BackupReader reader)
    {
        if (_idle.Count < MaxIdleReaders)
            _idle.Add(reader);
        else
            reader.Dispose();
        if (IsDisposed)
            Drain();
    }

    private void Drain()
    {
        while (_idle.TryTake(out BackupReader? reader))
            reader.Dispose();
    }
}
