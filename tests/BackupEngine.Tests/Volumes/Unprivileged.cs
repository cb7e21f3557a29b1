using System.Runtime.InteropServices;

namespace BackupEngine.Tests.Volumes;

/// <summary>Lets root meet a permission error: on one thread, files are opened as nobody (setfsuid(2), which takes root's file rights with it).</summary>
internal static partial class Unprivileged
{
    private const int Nobody = 65_534;

    public static void Run(Action action)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            action();
            return;
        }
        _ = SetFileSystemUser(Nobody);
        try
        {
            action();
        }
        finally
        {
            _ = SetFileSystemUser(0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(int user);
}
