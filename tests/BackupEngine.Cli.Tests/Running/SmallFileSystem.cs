using System.Diagnostics;

namespace BackupEngine.Cli.Tests.Running;

/// <summary>A file system in memory that is soon full. Mounting needs root.</summary>
internal sealed class SmallFileSystem : IDisposable
{
    public SmallFileSystem(int sizeMiB)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Mounting a small file system needs Linux and root.");
        Path = Directory.CreateTempSubdirectory("backup-engine-small-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={sizeMiB}m", "backup-engine-test", Path);
    }

    public string Path { get; }

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })
            ?? throw new InvalidOperationException($"{program} did not start.");
        string problem = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} failed: {problem}");
    }
}
