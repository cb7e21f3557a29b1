using System.Runtime.InteropServices;

namespace BackupEngine.Cli;

/// <summary>Turns Ctrl-C (SIGINT) and SIGTERM into a cancellation, so that a command can leave the store clean before it ends.</summary>
internal sealed partial class CancelSignals : IDisposable
{
    private const int SigInt = 2;
    private const nint SigDefault = 0;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public CancelSignals()
    {
        // Shells start the background jobs of a script with SIGINT ignored, and the runtime would leave it so.
        // A script that sends SIGINT to a backup means it, as with SIGTERM.
        if (!OperatingSystem.IsWindows())
            Signal(SigInt, SigDefault);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        // The first signal asks; a second one is left to the system, which ends the process where it stands.
        context.Cancel = !_source.IsCancellationRequested;
        _source.Cancel();
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
