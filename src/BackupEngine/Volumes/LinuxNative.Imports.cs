using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Volumes;

/// <summary>Numbers and signatures, from the kernel's own headers (linux/fs.h, linux/stat.h, linux/falloc.h, asm-generic/fcntl.h).</summary>
internal static partial class LinuxNative
{
    private const int OpenReadOnly = 0;
    private const int OpenReadWrite = 2;
    private const int OpenExclusive = 0x80;
    private const int OpenCloseOnExec = 0x80000;

    private const int AtCurrentDirectory = -100;
    private const uint StatXType = 1;
    private const int ModeTypeMask = 0xF000;
    private const int ModeDirectory = 0x4000;
    private const int ModeBlockDevice = 0x6000;
    private const int ModeRegular = 0x8000;

    private const nuint GetSize64 = 0x80081272; // BLKGETSIZE64
    private const nuint GetReadOnly = 0x125E; // BLKROGET
    private const nuint GetSectorSize = 0x1268; // BLKSSZGET
    private const int AdviceSequential = 2;
    private const int WhenceData = 3;
    private const int WhenceHole = 4;
    private const int PunchHoleKeepSize = 2 | 1;
    private const int ZeroRangeKeepSize = 16 | 1;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(SafeFileHandle handle, nuint request, ref ulong value);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(SafeFileHandle handle, nuint request, ref int value);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle handle, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle handle, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FileAllocate(SafeFileHandle handle, int mode, long offset, long length);

    /// <summary>struct statx, the same on every architecture; only the field that is asked for.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatXBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;
    }
}
