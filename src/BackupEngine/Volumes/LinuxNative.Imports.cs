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
    private const int EmptyPath = 0x1000;
    private const int ForceSync = 0x2000;
    private const uint StatXType = 1;
    private const uint StatXBasic = 0x7ff;
    private const int ModeTypeMask = 0xF000;
    private const int ModeDirectory = 0x4000;
    private const int ModeBlockDevice = 0x6000;
    private const int ModeRegular = 0x8000;

    private const nuint GetSize64 = 0x80081272; // BLKGETSIZE64
    private const nuint GetReadOnly = 0x125E; // BLKROGET
    private const nuint GetSectorSize = 0x1268; // BLKSSZGET
    private const int AdviceSequential = 2;
    private const int AdviceDontNeed = 4;
    private const int OpenFileGetLock = 36; // F_OFD_GETLK
    private const short WriteLock = 1;
    private const short NoLock = 2;
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

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, out StatXBuffer buffer);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FileControl(SafeFileHandle handle, int command, ref FileLock fileLock);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle handle, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle handle, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FileAllocate(SafeFileHandle handle, int mode, long offset, long length);

    /// <summary>struct statx, the same on every architecture; only the fields that are used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatXBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public long ChangedSeconds;

        [FieldOffset(104)]
        public uint ChangedNanoseconds;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        [FieldOffset(128)]
        public uint DeviceMajor;

        [FieldOffset(132)]
        public uint DeviceMinor;

        [FieldOffset(136)]
        public uint FileSystemMajor;

        [FieldOffset(140)]
        public uint FileSystemMinor;
    }

    /// <summary>struct flock of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct FileLock
    {
        [FieldOffset(0)]
        public short Type;

        [FieldOffset(2)]
        public short Whence;

        [FieldOffset(8)]
        public long Start;

        [FieldOffset(16)]
        public long Length;

        [FieldOffset(24)]
        public int Process;
    }
}
