using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>A small file system in memory: full or read-only as a test wants it, which permissions are not for root.</summary>
public sealed class MountedDirectory : IDisposable
{
    private MountedDirectory(string path) => DirectoryPath = path;

    public string DirectoryPath { get; }

    /// <summary>Mounts; skips the test where <see cref="Requires.Mounts"/> does.</summary>
    public static MountedDirectory Create(int sizeBytes)
    {
        Requires.Mounts();
        string path = Directory.CreateTempSubdirectory("mounted").FullName;
        SystemTool.Run("mount", "-t", "tmpfs", "-o", $"size={sizeBytes}", "tmpfs", path);
        return new MountedDirectory(path);
    }

    public void MakeReadOnly() => SystemTool.Run("mount", "-o", "remount,ro", DirectoryPath);

    public void Dispose()
    {
        SystemTool.Run("umount", DirectoryPath);
        Directory.Delete(DirectoryPath);
    }
}
