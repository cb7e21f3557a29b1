using System.Globalization;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A mounted file system for tests, on a directory of its own. Skips the test where <see cref="Requires.Mounts"/> does.</summary>
public sealed class MountPoint : IDisposable
{
    private readonly ScratchDirectory _directory = new();
    private bool _isMounted;

    private MountPoint(params ReadOnlySpan<string> arguments)
    {
        try
        {
            Requires.Mounts();
            SystemTool.Run("mount", [.. arguments, _directory.Path]);
            _isMounted = true;
        }
        catch (Exception)
        {
            _directory.Dispose();
            throw;
        }
    }

    public string Path => _directory.Path;

    /// <summary>Mounts a block device.</summary>
    public static MountPoint Of(string device) => new(device);

    /// <summary>Mounts a file system in memory that has only so much room.</summary>
    public static MountPoint Tmpfs(long sizeBytes) =>
        new("-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={sizeBytes}"), "tmpfs");

    public string File(string name) => _directory.File(name);

    public void MakeReadOnly() => SystemTool.Run("mount", "-o", "remount,ro", Path);

    public void Dispose()
    {
        if (!_isMounted)
            return;
        _isMounted = false;
        // A test that failed may have left a file open; its mount goes as soon as that is closed.
        if (SystemTool.TryRun("umount", Path).ExitCode != 0)
            SystemTool.Run("umount", "--lazy", Path);
        _directory.Dispose();
    }
}
