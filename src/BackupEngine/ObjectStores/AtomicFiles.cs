using System.Runtime.InteropServices;
using BackupEngine.Durability;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.ObjectStores;

/// <summary>
/// File system calls that the runtime does not offer in this form: on Unix straight to the C library, elsewhere the nearest that there is.
/// Failures are <see cref="IOException"/>s whose <see cref="Exception.HResult"/> is the system's error number, as the runtime's own are.
/// </summary>
internal static partial class AtomicFiles
{
    private const int NotFound = 2, Exists = 17;
    private const int ReadOnly = 0, LinuxCloseOnExec = 0x80000;
    private const int CurrentDirectory = -100;
    private const uint RenameNoReplace = 1;

    /// <summary>Gives the file its final name when that is free.</summary>
    /// <returns>False when the name is taken.</returns>
    /// <exception cref="DirectoryNotFoundException">The directory of <paramref name="path"/> does not exist.</exception>
    public static bool TryCreate(string temporary, string path)
    {
        if (OperatingSystem.IsWindows())
            return TryMove(temporary, path);
        if (Link(temporary, path) == 0)
            return true;

        int error = Marshal.GetLastPInvokeError();
        if (error is not (NotFound or Exists) && OperatingSystem.IsLinux())
        {
            // File systems without hard links (FAT, many in user space) mostly know this instead.
            if (RenameAt(CurrentDirectory, temporary, CurrentDirectory, path, RenameNoReplace) == 0)
                return true;
            error = Marshal.GetLastPInvokeError() == Exists ? Exists : error;
        }

        return error == Exists ? false : throw Failure(error);
    }

    /// <summary>Gives the file its final name, in place of any file that has it.</summary>
    /// <exception cref="DirectoryNotFoundException">The directory of <paramref name="path"/> does not exist.</exception>
    public static void Replace(string temporary, string path)
    {
        if (OperatingSystem.IsWindows())
            File.Move(temporary, path, overwrite: true);
        else if (Rename(temporary, path) != 0)
            throw Failure(Marshal.GetLastPInvokeError());
    }

    /// <summary>Forces names made or removed in a directory to disk, where the system can. A directory that is gone is no error: nothing of ours can be in it.</summary>
    public static void SyncDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(directory, ReadOnly | (OperatingSystem.IsLinux() ? LinuxCloseOnExec : 0));
        if (descriptor < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error != NotFound)
                throw Failure(error);
            return;
        }

        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        DiskFlush.Directory(handle);
    }

    /// <summary>Removes a directory when nothing is in it.</summary>
    /// <returns>False when it is left, for whatever reason: an empty directory harms nobody.</returns>
    public static bool RemoveDirectoryIfEmpty(string directory)
    {
        if (!OperatingSystem.IsWindows())
            return RemoveDirectory(directory) == 0;
        try
        {
            Directory.Delete(directory, recursive: false);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool TryMove(string temporary, string path)
    {
        try
        {
            File.Move(temporary, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    private static IOException Failure(int error) => error == NotFound
        ? new DirectoryNotFoundException(Marshal.GetPInvokeErrorMessage(error))
        : new IOException(Marshal.GetPInvokeErrorMessage(error), error);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RemoveDirectory(string path);
}
