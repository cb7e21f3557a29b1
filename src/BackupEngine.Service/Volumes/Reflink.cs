using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Service.Volumes;

/// <summary>Copies of files that share their bytes until one of them changes (XFS, btrfs), made in an instant.</summary>
internal static partial class Reflink
{
    // _IOW(0x94, 9, int) of linux/fs.h.
    private const nuint CloneFile = 0x40049409;

    /// <summary>Makes the copy.</summary>
    /// <returns>False, and no copy, when the file system cannot share bytes.</returns>
    public static bool TryCopy(string source, string destination)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using SafeFileHandle from = File.OpenHandle(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        bool isCloned;
        using (SafeFileHandle to = File.OpenHandle(destination, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            isCloned = ControlFile((int)to.DangerousGetHandle(), CloneFile, (int)from.DangerousGetHandle()) == 0;
        }

        if (!isCloned)
        {
            File.Delete(destination);
        }

        return isCloned;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ControlFile(int file, nuint request, int argument);
}
