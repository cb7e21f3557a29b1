using System.Globalization;

namespace BackupEngine.Volumes;

/// <summary>Noticing that others use or change the volume.</summary>
public sealed partial class FileVolume : IVolumeVersion
{
    /// <summary>
    /// Returns size and times of an image file, or the counters of what was written to a block device. On systems other than 64-bit Linux, size and modification time of the file.
    /// </summary>
    /// <inheritdoc/>
    public ValueTask<string?> GetChangeTokenAsync(CancellationToken cancellationToken = default)
    {
        CheckRange(0, 0);
        try
        {
            if (!LinuxNative.IsSupported)
                return new(string.Create(CultureInfo.InvariantCulture, $"{RandomAccess.GetLength(_handle)} {File.GetLastWriteTimeUtc(_handle).Ticks}"));
            LinuxFileStatus status = LinuxNative.GetStatus(_handle);
            if (!_isDevice)
                return new(status.ToString());
            string? counters = LinuxDeviceUse.ReadWriteCounters(status.DeviceNumber);
            return new(counters is null ? null : string.Create(CultureInfo.InvariantCulture, $"{LinuxNative.GetDeviceSize(_handle)} {counters}"));
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            throw VolumeErrors.Transfer(Name, "look for changes of", 0, SizeBytes, error);
        }
    }

    /// <summary>
    /// Looks for what may write to the volume, on 64-bit Linux: of a block device, read-write mounts, swap, devices that are built on it, and any other exclusive use; of an
    /// image file, a loop device that is attached to it read-write, swap, and a virtual machine of QEMU that writes to it.
    /// </summary>
    /// <inheritdoc/>
    public ValueTask<string?> FindWriterAsync(CancellationToken cancellationToken = default)
    {
        CheckRange(0, 0);
        if (!LinuxNative.IsSupported)
            return new((string?)null);
        try
        {
            // A device that was opened for writing is claimed by this volume itself.
            return new(_isDevice
                ? LinuxDeviceUse.FindWriter(Name, LinuxNative.GetStatus(_handle).DeviceNumber, isClaimedHere: _canWrite)
                : LinuxImageUse.FindWriter(LinuxNative.GetStatus(_handle), _handle));
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            throw VolumeErrors.Transfer(Name, "find out what uses", 0, SizeBytes, error);
        }
    }
}
