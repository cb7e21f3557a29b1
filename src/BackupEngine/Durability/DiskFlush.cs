using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.Durability;

/// <summary>
/// Makes what was written durable. RandomAccess.FlushToDisk and FileStream.Flush(true) are no way to do it: on Unix they return as if all
/// were well when fsync fails with EIO (seen with .NET 10.0 on a device that had run full).
/// </summary>
internal static partial class DiskFlush
{
    private const int Interrupted = 4, Invalid = 22;

    /// <summary>Forces a file or device to disk.</summary>
    /// <exception cref="IOException">The system could not; its HResult is the system's error number on Unix.</exception>
    public static void File(SafeFileHandle handle)
    {
        if (OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(handle);
            return;
        }

        while (Sync(handle) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    /// <summary>Forces the names in a directory to disk.</summary>
    /// <inheritdoc cref="File" path="/exception"/>
    public static void Directory(SafeFileHandle handle)
    {
        try
        {
            File(handle);
        }
        catch (IOException e) when (e.HResult == Invalid)
        {
            // Some network file systems cannot flush a directory: their names are durable at once or never.
        }
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle handle);
}
