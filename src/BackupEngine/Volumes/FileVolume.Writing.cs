using BackupEngine.Durability;

namespace BackupEngine.Volumes;

/// <summary>Writing data and zeros.</summary>
public sealed partial class FileVolume
{
    /// <summary>How much is zeroed between two looks at the cancellation token, in bytes.</summary>
    private const long ZeroStepBytes = 1L << 30;

    private static readonly byte[] _zeros = new byte[1 << 20];

    private volatile bool _isZeroed;
    private volatile bool _canPunch;
    private volatile bool _canZeroRange;

    /// <summary>True for a volume from <see cref="Create"/> until its first <see cref="WriteAsync"/>.</summary>
    public bool IsZeroed => _isZeroed;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the volume: a volume never grows.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> source, long offset, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, source.Length);
        CheckWritable();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        _isZeroed = false;
        if (_writes is not null)
            return _writes.WriteAsync(source, offset);
        try
        {
            RandomAccess.Write(_handle, source.Span, offset);
            return ValueTask.CompletedTask;
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            return ValueTask.FromException(VolumeErrors.Transfer(Name, "write to", offset, source.Length, error));
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the volume.</exception>
    public ValueTask WriteZerosAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, length);
        CheckWritable();
        long end = offset + length;
        try
        {
            // A device frees whole blocks only, and whole pages are asked for: part of a page could still be in
            // the page cache of a neighbour's write, which would later bring its old bytes back to the device.
            long alignedStart = Math.Min(end, AlignUp(offset));
            long alignedEnd = Math.Max(alignedStart, end - end % _zeroAlignment);
            WriteExplicitZeros(offset, alignedStart, cancellationToken);
            for (long position = alignedStart; position < alignedEnd;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long step = Math.Min(ZeroStepBytes, alignedEnd - position);
                if (!TryDeallocate(position, step))
                    WriteExplicitZeros(position, position + step, cancellationToken);
                position += step;
            }
            WriteExplicitZeros(alignedEnd, end, cancellationToken);
            return ValueTask.CompletedTask;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            return ValueTask.FromException(VolumeErrors.Transfer(Name, "write zeros to", offset, length, error));
        }
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (!_canWrite)
            return ValueTask.CompletedTask;
        try
        {
            DiskFlush.File(_handle);
            if (_newFileDirectory is not null && LinuxNative.IsSupported)
                LinuxNative.FlushDirectory(_newFileDirectory);
            return ValueTask.CompletedTask;
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            return ValueTask.FromException(VolumeErrors.Flush(Name, error));
        }
    }

    /// <summary>
    /// Frees the range, or else zeroes it in the file system or device. On a block device the kernel makes of the first a
    /// write-zeroes that may unmap, and of the second what BLKZEROOUT does (block/fops.c, blkdev_fallocate).
    /// </summary>
    private bool TryDeallocate(long offset, long length)
    {
        if (_canPunch)
        {
            int errno = LinuxNative.PunchHole(_handle, offset, length);
            if (errno == 0)
                return true;
            _canPunch = IsLacking(errno) ? false : throw LinuxNative.Error(errno);
        }
        if (_canZeroRange)
        {
            int errno = LinuxNative.ZeroRange(_handle, offset, length);
            if (errno == 0)
                return true;
            _canZeroRange = IsLacking(errno) ? false : throw LinuxNative.Error(errno);
        }
        return false;
    }

    private static bool IsLacking(int errno) =>
        errno is Errno.NotSupported or Errno.NotImplemented or Errno.Invalid or Errno.NoDevice or Errno.NotPermitted;

    private void WriteExplicitZeros(long offset, long end, CancellationToken cancellationToken)
    {
        while (offset < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int step = (int)Math.Min(_zeros.Length, end - offset);
            RandomAccess.Write(_handle, _zeros.AsSpan(0, step), offset);
            offset += step;
        }
    }

    private long AlignUp(long offset)
    {
        long remainder = offset % _zeroAlignment;
        return remainder == 0 ? offset : offset + Math.Min(_zeroAlignment - remainder, SizeBytes - offset);
    }

    private void CheckWritable()
    {
        if (!_canWrite)
            throw new VolumeException(Name, $"'{Name}' was opened for reading only");
    }
}
