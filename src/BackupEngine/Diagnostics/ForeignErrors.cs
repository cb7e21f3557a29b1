using System.Net.Sockets;

namespace BackupEngine.Diagnostics;

/// <summary>Tells exceptions that the engine's contracts know from those that a custom volume or store lets through.</summary>
internal static class ForeignErrors
{
    /// <summary>
    /// Gets a value that indicates whether an exception must be wrapped. Cancellation is only what the caller's own token asked for: an HTTP client that gives up
    /// throws a <see cref="TaskCanceledException"/>, too. The use of a disposed object stays an error of the caller's program.
    /// </summary>
    public static bool IsForeign(Exception error, CancellationToken cancellationToken) => error switch
    {
        BackupEngineException or ObjectDisposedException or OutOfMemoryException => false,
        OperationCanceledException => !cancellationToken.IsCancellationRequested,
        _ => true,
    };

    /// <summary>Gets a value that indicates whether the same call may succeed later: a timeout, or a failure of the network or of a device.</summary>
    public static bool IsTransient(Exception error) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException or PathTooLongException => false,
        OperationCanceledException or TimeoutException or HttpRequestException or SocketException or IOException => true,
        _ => false,
    };

    /// <summary>Returns the first line of an exception's message, and its type when the message alone says little.</summary>
    public static string Describe(Exception error) => $"{error.Message.Split('\n', 2)[0].TrimEnd('\r', '.')} ({error.GetType().Name})";
}
