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

    /// <summary>Opens a block device; for writing only when nobody else claims it: O_EXCL on a device fails with EBUSY while it is mounted or part of another.</summary>
    public static SafeFileHandle OpenDevice(string path, bool forWriting)
    {
        int flags = OpenCloseOnExec | (forWriting ? OpenReadWrite | OpenExclusive : OpenReadOnly);
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
            _busyLimit);
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
