using System.Runtime.InteropServices;

namespace BackupEngine.ObjectStores;

/// <summary>Turns what the file system says into <see cref="ObjectStoreException"/>s.</summary>
internal static class DirectoryErrors
{
    private const int UnixDiskFull = 28; // ENOSPC
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027), WindowsSharingViolation = unchecked((int)0x80070020);

    public static bool Covers(Exception e) => e is IOException or UnauthorizedAccessException;

    /// <summary>Whether there is no room.</summary>
    public static bool IsFull(IOException e) => Classify(e.HResult) == ObjectStoreError.OutOfSpace;

    /// <summary>What the system says when there is no room.</summary>
    public static IOException CreateFull() => OperatingSystem.IsWindows()
        ? new IOException("There is not enough space on the disk.", WindowsDiskFull)
        : new IOException(Marshal.GetPInvokeErrorMessage(UnixDiskFull), UnixDiskFull);

    /// <summary>Whether another has opened the file in a way that excludes this one.</summary>
    public static bool IsLocked(IOException e) => e.HResult == (OperatingSystem.IsWindows() ? WindowsSharingViolation : OperatingSystem.IsLinux() ? 11 : 35); // EWOULDBLOCK

    public static ObjectStoreException Translate(Exception e, string root, string? key, string action)
    {
        if (e is DirectoryLockedException)
            return new ObjectStoreException(ObjectStoreError.Unavailable, key, $"{root}: cannot {action}{(key is null ? "" : " " + key)}: {e.Message}", e);

        // An UnauthorizedAccessException carries the system's number on the inside.
        int number = (e as IOException ?? e.InnerException as IOException)?.HResult ?? 0;
        ObjectStoreError error = e is UnauthorizedAccessException ? ObjectStoreError.AccessDenied : Classify(number);

        // The runtime's own words name the temporary file; the system's are shorter and are those that people know.
        string reason = number > 0 && !OperatingSystem.IsWindows() ? Marshal.GetPInvokeErrorMessage(number) : e.Message.ReplaceLineEndings(" ");
        return new ObjectStoreException(error, key, $"{root}: cannot {action}{(key is null ? "" : " " + key)}: {reason}", e);
    }

    private static ObjectStoreError Classify(int number) => number switch
    {
        WindowsDiskFull or WindowsHandleDiskFull => ObjectStoreError.OutOfSpace,
        _ when OperatingSystem.IsWindows() => ObjectStoreError.Failed,
        UnixDiskFull => ObjectStoreError.OutOfSpace,
        122 when OperatingSystem.IsLinux() => ObjectStoreError.OutOfSpace, // EDQUOT
        69 when OperatingSystem.IsMacOS() => ObjectStoreError.OutOfSpace, // EDQUOT
        1 or 13 or 30 => ObjectStoreError.AccessDenied, // EPERM, EACCES, EROFS
        4 or 11 or 16 or 23 or 24 => ObjectStoreError.Unavailable, // EINTR, EAGAIN, EBUSY, ENFILE, EMFILE
        110 or 116 when OperatingSystem.IsLinux() => ObjectStoreError.Unavailable, // ETIMEDOUT, ESTALE: a network file system
        _ => ObjectStoreError.Failed,
    };
}
