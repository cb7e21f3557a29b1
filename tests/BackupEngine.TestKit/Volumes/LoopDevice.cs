using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A real block device for tests: a file attached to a loop device. Needs root on Linux; ask with <see cref="Require"/> first.</summary>
public sealed class LoopDevice : IDisposable
{
    /// <summary>Set to 1, tests that need a loop device fail without one; else they are skipped.</summary>
    public const string RequireVariable = "BACKUPENGINE_REQUIRE_LOOP";

    private const string ControlDevice = "/dev/loop-control";

    private static readonly Lazy<string?> _whyNot = new(FindWhyNot);

    private readonly ScratchDirectory? _directory;
    private readonly List<MountPoint> _mounts = [];
    private bool _isAttached;

    private LoopDevice(string file, bool readOnly, ScratchDirectory? directory = null)
    {
        BackingFile = file;
        _directory = directory;
        // One at a time on the whole machine: a losetup that loses the race for a free device claims the winner's
        // for a moment, and who opens that exclusively just then finds it busy.
        Path = SystemTool.Run("flock", [ControlDevice, "losetup", "--find", "--show", .. readOnly ? ["--read-only"] : Array.Empty<string>(), file]);
        _isAttached = true;
    }

    /// <summary>The device, such as /dev/loop3.</summary>
    public string Path { get; }

    /// <summary>The file whose bytes are the device's.</summary>
    public string BackingFile { get; }

    /// <summary>Skips the test, or fails it when <see cref="RequireVariable"/> is 1, where there are no loop devices.</summary>
    public static void Require()
    {
        if (_whyNot.Value is not { } reason)
            return;
        if (Environment.GetEnvironmentVariable(RequireVariable) == "1")
            Assert.Fail($"{RequireVariable} is 1, but {reason}");
        Assert.Skip($"NOT TESTED on block devices and mounts: {reason}");
    }

    /// <summary>Attaches a file, whose size should be a multiple of 512: the device has whole sectors only.</summary>
    public static LoopDevice Attach(string file, bool readOnly = false) => new(file, readOnly);

    /// <summary>Attaches a new sparse file, removed with the device.</summary>
    public static LoopDevice Create(long sizeBytes)
    {
        var directory = new ScratchDirectory();
        try
        {
            string file = directory.File("backing.img");
            using (FileStream stream = File.Create(file))
                stream.SetLength(sizeBytes);
            return new LoopDevice(file, readOnly: false, directory);
        }
        catch (Exception)
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Makes a file system on the device: ext4, xfs (from 300 MiB) or btrfs (from 109 MiB).</summary>
    public void Format(string fileSystem = "ext4") => SystemTool.Run("mkfs." + fileSystem, "-q", fileSystem == "ext4" ? "-F" : "-f", Path);

    /// <summary>Mounts the device; unmounted with it at the latest.</summary>
    public MountPoint Mount()
    {
        MountPoint mount = MountPoint.Of(Path);
        _mounts.Add(mount);
        return mount;
    }

    /// <summary>Takes the file off the device, which then has no size.</summary>
    public void Detach()
    {
        if (!_isAttached)
            return;
        _isAttached = false;
        SystemTool.Run("losetup", "--detach", Path);
    }

    public void Dispose()
    {
        try
        {
            foreach (MountPoint mount in _mounts)
                mount.Dispose();
            Detach();
        }
        finally
        {
            _directory?.Dispose();
        }
    }

    private static string? FindWhyNot()
    {
        if (!OperatingSystem.IsLinux())
            return "loop devices are Linux's";
        if (!Environment.IsPrivilegedProcess)
            return "only root may attach loop devices and mount";
        if (!File.Exists(ControlDevice))
            return "there is no " + ControlDevice;
        try
        {
            (int exitCode, _, string errors) = SystemTool.TryRun("losetup", "--find");
            return exitCode == 0 ? null : $"losetup finds no free loop device: {errors}";
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return $"losetup does not start: {error.Message}";
        }
    }
}
