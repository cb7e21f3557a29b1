using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>How volumes are opened and made.</summary>
public sealed partial class FileVolume
{
    /// <summary>Opens an image file or block device to read; every write is refused.</summary>
    /// <param name="path">Path of a regular file or block device; symbolic links are followed.</param>
    /// <exception cref="VolumeException">There is none, it is neither file nor block device, or it may not be read.</exception>
    public static FileVolume OpenRead(string path) => Open(path, forWriting: false);

    /// <summary>
    /// Opens an existing image file or block device to read and write. Its size stays as it is.
    /// A device that is mounted or part of another is refused, and so is a file that another FileVolume has opened, that backs a loop device, or that a virtual machine uses.
    /// </summary>
    /// <param name="path">Path of a regular file or block device; symbolic links are followed.</param>
    /// <exception cref="VolumeException">There is none, it is neither file nor block device, it may not be written, or it is in use.</exception>
    public static FileVolume OpenWrite(string path) => OpenWrite(path, allowInUse: false);

    /// <summary>Opens an existing image file or block device to read and write as <see cref="OpenWrite(string)"/> does, although others may use the file.</summary>
    /// <param name="path">Path of a regular file or block device; symbolic links are followed.</param>
    /// <param name="allowInUse">Whether to open a file although it backs a loop device, is swap space, or is locked by QEMU. Devices are never opened while they are claimed.</param>
    /// <exception cref="VolumeException">There is none, it is neither file nor block device, it may not be written, or it is in use.</exception>
    public static FileVolume OpenWrite(string path, bool allowInUse) => Open(path, forWriting: true, allowInUse);

    /// <summary>Makes a new image file that is one hole, to read and write.</summary>
    /// <param name="path">Path of the file; nothing may be there yet, but its directory must.</param>
    /// <param name="sizeBytes">Size in bytes, from 0.</param>
    /// <exception cref="VolumeException">The path is taken, or the file cannot be made or be that large; then none is left.</exception>
    public static FileVolume Create(string path, long sizeBytes)
    {
        CheckPath(path);
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        SafeFileHandle? handle = null;
        try
        {
            string directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? throw new DirectoryNotFoundException();
            handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            SetLength(handle, sizeBytes);
            return new FileVolume(path, handle, sizeBytes, isDevice: false, canWrite: true, newFileDirectory: directory);
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            VolumeException failure = VolumeErrors.Create(path, sizeBytes, error);
            if (handle is not null)
            {
                handle.Dispose();
                File.Delete(path);
            }
            throw failure;
        }
    }

    private static FileVolume Open(string path, bool forWriting, bool allowInUse = false)
    {
        CheckPath(path);
        SafeFileHandle? handle = null;
        try
        {
            bool isDevice = IsDevice(path);
            if (!isDevice && forWriting && !allowInUse && LinuxNative.IsSupported && LinuxImageUse.FindUser(path) is { } user)
                throw new VolumeException(path, $"'{path}' is in use ({user}), and writing to it would destroy data there; release it first, or force it (allowInUse, --force-target)");
            handle = isDevice ? LinuxNative.OpenDevice(path, forWriting) : OpenFile(path, forWriting);
            long sizeBytes = isDevice ? LinuxNative.GetDeviceSize(handle) : RandomAccess.GetLength(handle);
            if (isDevice && sizeBytes == 0)
                throw LinuxNative.Error(Errno.NoMedium);
            if (isDevice && forWriting && LinuxNative.IsReadOnly(handle))
                throw LinuxNative.Error(Errno.ReadOnlyFileSystem);
            if (isDevice && !forWriting)
            {
                LinuxNative.AdviseSequential(handle);
                LinuxNative.DropCache(handle);
            }

            return new FileVolume(path, handle, sizeBytes, isDevice, canWrite: forWriting);
        }
        catch (Exception error) when (VolumeErrors.IsSystemError(error))
        {
            handle?.Dispose();
            throw VolumeErrors.Open(path, forWriting, error);
        }
    }

    private static void SetLength(SafeFileHandle handle, long sizeBytes)
    {
        try
        {
            RandomAccess.SetLength(handle, sizeBytes);
        }
        catch (ArgumentOutOfRangeException error)
        {
            throw new IOException(error.Message, Errno.FileTooBig);
        }
    }

    // On Unix the sharing modes are advisory locks: a writer alone excludes every other FileVolume of the file.
    private static SafeFileHandle OpenFile(string path, bool forWriting) => forWriting
        ? File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)
        : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);

    /// <summary>Tells a device from a file before anything is opened: merely opening a pipe blocks, and opening a tape rewinds it.</summary>
    private static bool IsDevice(string path)
    {
        LinuxFileKind kind = LinuxNative.IsSupported ? LinuxNative.GetKind(path)
            : Directory.Exists(path) ? LinuxFileKind.Directory
            : IsDeviceName(path) ? LinuxFileKind.Other
            : LinuxFileKind.Regular;
        return kind switch
        {
            LinuxFileKind.Regular => false,
            LinuxFileKind.BlockDevice => true,
            LinuxFileKind.Directory => throw new VolumeException(path, $"'{path}' is a directory, not a disk image or block device"),
            _ when LinuxNative.IsSupported => throw new VolumeException(path, $"'{path}' is neither a regular file nor a block device"),
            _ => throw new VolumeException(path, $"'{path}' is a device, and those are read and written on 64-bit Linux only"),
        };
    }

    private static bool IsDeviceName(string path) => OperatingSystem.IsWindows()
        ? path.StartsWith(@"\\.\", StringComparison.Ordinal)
        : Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);

    private static void CheckPath(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            throw new VolumeException(path, "the path of a volume must not be empty nor hold a NUL character");
    }
}
