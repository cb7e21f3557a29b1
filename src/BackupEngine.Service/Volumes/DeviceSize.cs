using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Service.Volumes;

/// <summary>The size of a block device, which neither its directory entry nor a stream of it tells.</summary>
internal static partial class DeviceSize
{
    private const int SeekEnd = 2;

    /// <summary>The size in bytes; 0 when it cannot be told.</summary>
    public static long Of(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        try
        {
            using SafeFileHandle device = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Math.Max(0, Seek(device, 0, SeekEnd));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int origin);
}
