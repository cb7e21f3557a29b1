using BackupEngine.TestKit.Requirements;

namespace BackupEngine.TestKit.Volumes;

/// <summary>A real block device for tests: a file attached to a loop device. Skips the test where <see cref="Requires.LoopDevices"/> does.</summary>
public sealed class LoopDevice : IDisposable
{
    private const string ControlDevice = "/dev/loop-control";

    private readonly ScratchDirectory? _directory;
    private readonly List<MountPoint> _mounts = [];
    private bool _isAttached;

    private LoopDevice(string file, bool readOnly, ScratchDirectory? directory = null)
    {
        Requires.LoopDevices();
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
    public void Format(string fileSystem = "ext4")
    {
        Requires.FileSystem(fileSystem);
        SystemTool.Run("mkfs." + fileSystem, "-q", fileSystem == "ext4" ? "-F" : "-f", Path);
    }

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
}
