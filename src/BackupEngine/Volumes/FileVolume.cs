using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>
/// A volume that the operating system shows as a file: a disk image, or on 64-bit Linux a block device.
/// Holes are known for image files on Linux; elsewhere everything counts as data and zeros are written out.
/// Calls finish before they return, the work done on the caller's thread; but writes to an image while another thread writes to it are done by that one.
/// </summary>
public sealed partial class FileVolume : IWritableVolume
{
    private readonly SafeFileHandle _handle;
    private readonly bool _isDevice;
    private readonly bool _canWrite;
    private readonly string? _newFileDirectory;
    private readonly int _zeroAlignment;
    private readonly WriteQueue? _writes;

    private FileVolume(string path, SafeFileHandle handle, long sizeBytes, bool isDevice, bool canWrite, string? newFileDirectory = null)
    {
        Name = path;
        SizeBytes = sizeBytes;
        _handle = handle;
        _isDevice = isDevice;
        _canWrite = canWrite;
        _writes = isDevice ? null : new WriteQueue(path, handle);
        _newFileDirectory = newFileDirectory;
        _isZeroed = newFileDirectory is not null;
        _knowsHoles = LinuxNative.IsSupported && !isDevice;
        _canPunch = _canZeroRange = LinuxNative.IsSupported;
        _zeroAlignment = isDevice && canWrite ? Math.Max(LinuxNative.GetLogicalBlockSize(handle), Environment.SystemPageSize) : 1;
    }

    /// <summary>The path, as it was given.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public long SizeBytes { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the volume.</exception>
    public ValueTask ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, destination.Length);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        try
        {
            int filled = 0;
            while (filled < destination.Length)
            {
                int read = RandomAccess.Read(_handle, destination.Span[filled..], offset + filled);
                if (read == 0)
                    return ValueTask.FromException(EndsEarly(offset + filled));
                filled += read;
            }
            return ValueTask.CompletedTask;
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            return ValueTask.FromException(VolumeErrors.Transfer(Name, "read", offset, destination.Length, error));
        }
    }

    /// <summary>Closes the file. What was written and not flushed may be lost if the machine stops.</summary>
    public ValueTask DisposeAsync()
    {
        _handle.Dispose();
        return ValueTask.CompletedTask;
    }

    private VolumeException EndsEarly(long offset) =>
        new(Name, $"'{Name}' ends at offset {offset}, although it had {SizeBytes} bytes when it was opened");

    private void CheckRange(long offset, long length)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (offset > SizeBytes || length > SizeBytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at offset {offset} are not all inside '{Name}', which has {SizeBytes} bytes");
    }
}
