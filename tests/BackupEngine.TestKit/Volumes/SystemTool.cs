using System.Diagnostics;
using BackupEngine.TestKit.Requirements;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>Runs commands of the system: losetup, mount, mkfs. A test that calls a command that is not installed is skipped.</summary>
public static class SystemTool
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program to its end; what it printed, when it ended well.</summary>
    public static string Run(string program, params ReadOnlySpan<string> arguments)
    {
        (int exitCode, string output, string errors) = TryRun(program, arguments);
        if (exitCode != 0)
            Assert.Fail($"{program} {string.Join(' ', arguments)} ended with {exitCode}: {errors}");
        return output;
    }

    /// <summary>Runs a program to its end, however it ends.</summary>
    public static (int ExitCode, string Output, string Errors) TryRun(string program, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(Requires.Command(program)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {_limit}");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult().Trim(), errors.GetAwaiter().GetResult().Trim());
    }
}
