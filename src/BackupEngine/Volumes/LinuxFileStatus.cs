using System.Globalization;

namespace BackupEngine.Volumes;

/// <summary>What statx reports about a file.</summary>
/// <param name="FileSystem">The number of the device that holds the file.</param>
/// <param name="Inode">The file's number there.</param>
/// <param name="SizeBytes">Size in bytes.</param>
/// <param name="ModifiedNanoseconds">When the content changed last, in nanoseconds.</param>
/// <param name="ChangedNanoseconds">When content or attributes changed last; no program can set it back.</param>
/// <param name="DeviceNumber">The number of the device that a device file stands for.</param>
internal readonly record struct LinuxFileStatus(
    LinuxDeviceNumber FileSystem, ulong Inode, ulong SizeBytes, Int128 ModifiedNanoseconds, Int128 ChangedNanoseconds, LinuxDeviceNumber DeviceNumber)
{
    /// <summary>Gets a value that indicates whether both are the same file.</summary>
    public bool IsSameFile(LinuxFileStatus other) => Inode == other.Inode && FileSystem == other.FileSystem;

    /// <summary>Returns all that changes when the file's content does.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{FileSystem} {Inode} {SizeBytes} {ModifiedNanoseconds} {ChangedNanoseconds}");
}

/// <summary>The number of a device, written as sysfs writes it: MAJOR:MINOR.</summary>
internal readonly record struct LinuxDeviceNumber(uint Major, uint Minor)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}:{Minor}");
}
