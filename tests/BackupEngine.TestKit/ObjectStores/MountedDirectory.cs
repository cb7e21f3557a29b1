using System.Diagnostics;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>A small file system in memory: full or read-only as a test wants it, which permissions are not for root.</summary>
public sealed class MountedDirectory : IDisposable
{
    private MountedDirectory(string path) => DirectoryPath = path;

    public string DirectoryPath { get; }

    /// <summary>Mounts; the test is skipped where that is not allowed.</summary>
    public static MountedDirectory Create(int sizeBytes)
    {
        string path = Directory.CreateTempSubdirectory("mounted").FullName;
        if (!OperatingSystem.IsLinux() || !TryRun("mount", "-t", "tmpfs", "-o", $"size={sizeBytes}", "tmpfs", path))
        {
            Directory.Delete(path);
            Assert.Skip("mounting a file system needs Linux and root");
        }

        return new MountedDirectory(path);
    }

    public void MakeReadOnly() => Assert.True(TryRun("mount", "-o", "remount,ro", DirectoryPath));

    public void Dispose()
    {
        Assert.True(TryRun("umount", DirectoryPath));
        Directory.Delete(DirectoryPath);
    }

    private static bool TryRun(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
