using System.Diagnostics;
using System.Runtime.InteropServices;

namespace BackupEngine.Cli.Tests.Running;

/// <summary>The program as a user runs it: a process with arguments, an environment, and three streams.</summary>
internal sealed partial class CliProcess : IDisposable
{
    /// <summary>What Ctrl-C sends.</summary>
    public const int Interrupt = 2;

    /// <summary>What a service manager sends.</summary>
    public const int Terminate = 15;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Task<string> _stdout;
    private readonly Task<string> _stderr;

    private CliProcess(Process process)
    {
        _process = process;
        _stdout = process.StandardOutput.ReadToEndAsync();
        _stderr = process.StandardError.ReadToEndAsync();
    }

    public static string ProgramPath { get; } = Path.Combine(AppContext.BaseDirectory, "backup-engine");

    public bool HasExited => _process.HasExited;

    /// <summary>Runs the program to its end.</summary>
    public static Task<CliResult> RunAsync(params string[] arguments) => RunAsync(new CliSettings(), arguments);

    /// <inheritdoc cref="RunAsync(string[])"/>
    public static async Task<CliResult> RunAsync(CliSettings settings, params string[] arguments)
    {
        using CliProcess process = Start(settings, arguments);
        return await process.WaitAsync();
    }

    /// <summary>Starts the program.</summary>
    public static CliProcess Start(CliSettings settings, params string[] arguments)
    {
        string[] command = settings.StartsWithInterruptIgnored
            ? ["sh", "-c", "trap '' INT; exec \"$0\" \"$@\"", ProgramPath, .. arguments]
            : [ProgramPath, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = settings.WorkingDirectory ?? Path.GetTempPath(),
        };
        foreach ((string name, string? value) in settings.Environment)
            start.Environment[name] = value;

        Process process = Process.Start(start) ?? throw new InvalidOperationException("The program did not start.");
        process.StandardInput.Write(settings.Input);
        process.StandardInput.Close();
        return new CliProcess(process);
    }

    /// <summary>Waits until the program has come to where the test wants it, which it must do before its end.</summary>
    public async Task WhenAsync(Func<bool> reached)
    {
        while (!reached())
        {
            Assert.False(_process.HasExited, "The program ended before it could be interrupted.");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal)
    {
        if (Kill(_process.Id, signal) != 0)
            throw new InvalidOperationException($"kill({signal}) failed with {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Waits for the end, and gives what was printed.</summary>
    public async Task<CliResult> WaitAsync()
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(_patience);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            throw;
        }

        return new CliResult(_process.ExitCode, await _stdout, await _stderr);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
