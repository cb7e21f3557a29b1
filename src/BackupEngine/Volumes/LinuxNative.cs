using System.Runtime.InteropServices;
using BackupEngine.Durability;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>
/// The Linux calls that .NET does not offer: file types, exclusive opening of devices, sizes of devices, holes.
/// Failures come back as <see cref="IOException"/> whose HResult is the errno, just as .NET's own file calls make them.
/// </summary>
internal static partial class LinuxNative
{
    /// <summary>Whether these calls may be made: their numbers and structures below are those of 64-bit Linux.</summary>
    public static readonly bool IsSupported = OperatingSystem.IsLinux() && nint.Size == 8;

    private static readonly TimeSpan _busyLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>What kind of file a path leads to, symbolic links followed.</summary>
    /// <exception cref="IOException">There is none, or it cannot be reached.</exception>
    public static LinuxFileKind GetKind(string path)
    {
        if (StatX(AtCurrentDirectory, path, 0, StatXType, out StatXBuffer buffer) < 0)
            throw LastError();
        return (buffer.Mode & ModeTypeMask) switch
        {
            ModeDirectory => LinuxFileKind.Directory,
            ModeRegular => LinuxFileKind.Regular,
            ModeBlockDevice => LinuxFileKind.BlockDevice,
            _ => LinuxFileKind.Other,
        };
    }

    /// <summary>Returns what is known of an open file, asked of the server where it is remote.</summary>
    /// <exception cref="IOException">It cannot be asked.</exception>
    public static LinuxFileStatus GetStatus(SafeFileHandle handle) =>
        StatX(handle, "", EmptyPath | ForceSync, StatXBasic, out StatXBuffer buffer) < 0 ? throw LastError() : Read(buffer);

    /// <summary>Returns what is known of a file, symbolic links followed; null when it cannot be reached.</summary>
    public static LinuxFileStatus? TryGetStatus(string path) =>
        StatX(AtCurrentDirectory, path, 0, StatXBasic, out StatXBuffer buffer) < 0 ? null : Read(buffer);

    /// <summary>Gets a value that indicates whether others hold a lock on bytes of a file (F_OFD_GETLK). Nothing is locked.</summary>
    public static bool IsLocked(SafeFileHandle handle, long start, long length)
    {
        var probe = new FileLock { Type = WriteLock, Start = start, Length = length };

        // A file system without locks has none that anybody could hold.
        return FileControl(handle, OpenFileGetLock, ref probe) == 0 && probe.Type != NoLock;
    }

    /// <summary>Gets a value that indicates whether others have claimed a block device: it is mounted, part of another, or opened with O_EXCL. The device is only opened for the question.</summary>
    public static bool IsClaimed(string path)
    {
        try
        {
            Open(path, OpenReadOnly | OpenExclusive | OpenCloseOnExec, _busyLimit).Dispose();
            return false;
        }
        catch (IOException e) when (e.HResult == Errno.Busy)
        {
            return true;
        }
    }

    /// <summary>Opens a block device; for writing only when nobody else claims it: O_EXCL on a device fails with EBUSY while it is mounted or part of another.</summary>
    public static SafeFileHandle OpenDevice(string path, bool forWriting)
    {
        return Open(path, OpenCloseOnExec | (forWriting ? OpenReadWrite | OpenExclusive : OpenReadOnly), _busyLimit);
    }

    /// <summary>Opens a file to read, without the advisory lock that .NET takes.</summary>
    public static SafeFileHandle OpenWithoutLock(string path) => Open(path, OpenReadOnly | OpenCloseOnExec, _busyLimit);

    private static SafeFileHandle Open(string path, int flags, TimeSpan busyLimit)
    {
        int descriptor = -1;
        int errno = 0;
        // Claims that last a moment are waited out: those of tools that look at new devices, and our own of a moment ago
        // when a child process was forked meanwhile, which has the descriptor too until it executes its program.
        SpinWait.SpinUntil(
            () =>
            {
                descriptor = Open(path, flags);
                errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
                return errno is not (Errno.Busy or Errno.Interrupted);
            },
            busyLimit);
        return errno == 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Error(errno);
    }

    /// <summary>Whether a block device refuses all writes, which opening it to write does not tell.</summary>
    public static bool IsReadOnly(SafeFileHandle device)
    {
        int readOnly = 0;
        return IoControl(device, GetReadOnly, ref readOnly) < 0 ? throw LastError() : readOnly != 0;
    }

    /// <summary>Size of a block device in bytes.</summary>
    public static long GetDeviceSize(SafeFileHandle device)
    {
        ulong size = 0;
        return IoControl(device, GetSize64, ref size) < 0 ? throw LastError() : checked((long)size);
    }

    /// <summary>The smallest unit a block device can address, in bytes.</summary>
    public static int GetLogicalBlockSize(SafeFileHandle device)
    {
        int size = 0;
        return IoControl(device, GetSectorSize, ref size) < 0 ? throw LastError() : size;
    }

    /// <summary>Tells the kernel to read ahead; whether it listens makes no difference to what is read.</summary>
    public static void AdviseSequential(SafeFileHandle handle) => _ = Advise(handle, 0, 0, AdviceSequential);

    /// <summary>Drops what the page cache holds of a device, but for what is not written yet: storage that other machines write to may hold something else by now.</summary>
    public static void DropCache(SafeFileHandle handle) => _ = Advise(handle, 0, 0, AdviceDontNeed);

    /// <summary>Where the next data begins; or minus the errno.</summary>
    public static long SeekData(SafeFileHandle handle, long offset) => Result(Seek(handle, offset, WhenceData));

    /// <summary>Where the next hole begins, the end of the file counting as one; or minus the errno.</summary>
    public static long SeekHole(SafeFileHandle handle, long offset) => Result(Seek(handle, offset, WhenceHole));

    /// <summary>Frees a range, which then reads as zeros; 0, or the errno.</summary>
    public static int PunchHole(SafeFileHandle handle, long offset, long length) => Allocate(handle, PunchHoleKeepSize, offset, length);

    /// <summary>Makes a range read as zeros, allocated or not; 0, or the errno.</summary>
    public static int ZeroRange(SafeFileHandle handle, long offset, long length) => Allocate(handle, ZeroRangeKeepSize, offset, length);

    /// <summary>Makes the names in a directory durable.</summary>
    public static void FlushDirectory(string path)
    {
        int descriptor = Open(path, OpenReadOnly | OpenCloseOnExec);
        if (descriptor < 0)
            throw LastError();
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        DiskFlush.Directory(handle);
    }

    /// <summary>An errno as .NET's own file calls would throw it.</summary>
    public static IOException Error(int errno) => new(Marshal.GetPInvokeErrorMessage(errno), errno);

    private static LinuxFileStatus Read(in StatXBuffer buffer) => new(
        new LinuxDeviceNumber(buffer.FileSystemMajor, buffer.FileSystemMinor),
        buffer.Inode,
        buffer.Size,
        ((Int128)buffer.ModifiedSeconds * 1_000_000_000) + buffer.ModifiedNanoseconds,
        ((Int128)buffer.ChangedSeconds * 1_000_000_000) + buffer.ChangedNanoseconds,
        new LinuxDeviceNumber(buffer.DeviceMajor, buffer.DeviceMinor));

    private static IOException LastError() => Error(Marshal.GetLastPInvokeError());

    private static long Result(long result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    private static int Allocate(SafeFileHandle handle, int mode, long offset, long length)
    {
        while (FileAllocate(handle, mode, offset, length) < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Interrupted)
                return errno;
        }
        return 0;
    }
}
