namespace BackupEngine.Volumes;

/// <summary>Turns the system's errors into one line that names the volume and what is wrong with it.</summary>
internal static class VolumeErrors
{
    // The same meanings as Windows numbers them: HRESULT_FROM_WIN32 of the error codes in winerror.h.
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsFileExists = unchecked((int)0x80070050);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether an exception is one that file calls throw for reasons outside of the program.</summary>
    public static bool IsSystemError(Exception error) => error is IOException or UnauthorizedAccessException;

    /// <summary>The volume could not be opened.</summary>
    public static VolumeException Open(string path, bool forWriting, Exception error)
    {
        string purpose = forWriting ? "write to" : "read";
        string message = error switch
        {
            UnauthorizedAccessException => $"no permission to {purpose} '{path}'",
            FileNotFoundException or DirectoryNotFoundException => $"volume '{path}' does not exist",
            _ => error.HResult switch
            {
                Errno.NoEntry => $"volume '{path}' does not exist",
                Errno.NotADirectory => $"volume '{path}' does not exist: part of the path is not a directory",
                Errno.NotPermitted or Errno.AccessDenied => $"no permission to {purpose} '{path}'",
                Errno.Busy => $"block device '{path}' is in use: it is mounted or part of another device; release it first",
                Errno.ReadOnlyFileSystem => $"'{path}' is read-only",
                Errno.NoDeviceOrAddress or Errno.NoDevice or Errno.NoMedium => $"block device '{path}' has nothing attached to it",
                Errno.WouldBlock or WindowsSharingViolation => $"'{path}' is in use: somebody has opened it to write, or is still reading what is to be written",
                _ => $"cannot open '{path}': {FirstLine(error)}",
            },
        };
        return new VolumeException(path, message, error);
    }

    /// <summary>A new file could not be made.</summary>
    public static VolumeException Create(string path, long sizeBytes, Exception error)
    {
        string reason = error switch
        {
            UnauthorizedAccessException => "no permission to create files there",
            DirectoryNotFoundException => "its directory does not exist",
            _ when error.HResult is Errno.Exists or WindowsFileExists => "it exists already",
            _ => Reason(error) ?? FirstLine(error),
        };
        return new VolumeException(path, $"cannot create '{path}' of {sizeBytes} bytes: {reason}", error);
    }

    /// <summary>An open volume failed.</summary>
    public static VolumeException Transfer(string path, string verb, long offset, long length, Exception error) =>
        new(path, $"cannot {verb} '{path}' ({length} bytes at offset {offset}): {Reason(error) ?? FirstLine(error)}", error);

    /// <summary>What was written could not be made durable.</summary>
    public static VolumeException Flush(string path, Exception error) =>
        new(path, $"cannot flush '{path}': {Reason(error) ?? FirstLine(error)}", error);

    private static string? Reason(Exception error) => error.HResult switch
    {
        Errno.NoSpace or WindowsDiskFull or WindowsHandleDiskFull => "no space left on the device",
        Errno.QuotaExceeded => "disk quota exceeded",
        Errno.FileTooBig => "the file system or a limit allows no file of that size",
        Errno.ReadOnlyFileSystem => "it is read-only",
        Errno.InputOutput => "the device reports an input/output error",
        Errno.NoDeviceOrAddress or Errno.NoDevice => "the device is gone",
        _ => null,
    };

    private static string FirstLine(Exception error) => error.Message.Split('\n', 2)[0].TrimEnd('\r', '.');
}
