namespace BackupEngine.Volumes;

/// <summary>Finding what is not a hole.</summary>
public sealed partial class FileVolume
{
    private volatile bool _knowsHoles;

    /// <inheritdoc/>
    /// <exception cref="VolumeException">The volume could not be asked.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The offset is not inside the volume.</exception>
    public ValueTask<VolumeExtent?> FindAllocatedAsync(long offset, CancellationToken cancellationToken = default)
    {
        CheckRange(offset, 0);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<VolumeExtent?>(cancellationToken);
        if (offset == SizeBytes)
            return ValueTask.FromResult<VolumeExtent?>(null);
        return _knowsHoles ? SeekAllocated(offset) : ValueTask.FromResult<VolumeExtent?>(new VolumeExtent(offset, SizeBytes - offset));
    }

    // lseek moves the file position that all threads share, but each call answers in its return value
    // and nothing here reads the position: reads and writes are pread and pwrite. So no lock is needed.
    private ValueTask<VolumeExtent?> SeekAllocated(long offset)
    {
        long start = LinuxNative.SeekData(_handle, offset);
        if (start == -Errno.NoDeviceOrAddress || start >= SizeBytes)
        {
            // What was cut off is no hole.
            long length = RandomAccess.GetLength(_handle);
            return length < SizeBytes ? ValueTask.FromException<VolumeExtent?>(EndsEarly(length)) : ValueTask.FromResult<VolumeExtent?>(null);
        }
        long end = start < 0 ? start : LinuxNative.SeekHole(_handle, start);
        if (end == -Errno.NoDeviceOrAddress)
            return ValueTask.FromException<VolumeExtent?>(EndsEarly(start));
        if (end > start)
            return ValueTask.FromResult<VolumeExtent?>(new VolumeExtent(start, Math.Min(end, SizeBytes) - start));

        // A file system that does not know its holes, or that answers nonsense: everything is data.
        if (end is >= 0 or -Errno.Invalid or -Errno.NotSupported or -Errno.NotImplemented)
        {
            _knowsHoles = false;
            return ValueTask.FromResult<VolumeExtent?>(new VolumeExtent(offset, SizeBytes - offset));
        }
        return ValueTask.FromException<VolumeExtent?>(
            VolumeErrors.Transfer(Name, "look for data in", offset, SizeBytes - offset, LinuxNative.Error((int)-end)));
    }
}
