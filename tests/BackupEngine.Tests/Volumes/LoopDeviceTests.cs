using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;
using static BackupEngine.Tests.Volumes.FileVolumeOpeningTests;

namespace BackupEngine.Tests.Volumes;

/// <summary>What is particular to block devices.</summary>
public sealed class LoopDeviceTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_device_has_its_own_size_and_no_holes()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(1_000_448);
        await using FileVolume volume = FileVolume.OpenRead(device.Path);
        Assert.Equal(1_000_448, volume.SizeBytes);
        Assert.Equal([new VolumeExtent(0, 1_000_448)], await volume.FindAllAllocatedAsync(Cancellation));
        Assert.False(volume.IsZeroed);
    }

    [Fact]
    public async Task A_device_opened_for_reading_cannot_be_written()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(4096);
        await using FileVolume volume = FileVolume.OpenRead(device.Path);
        var error = await Assert.ThrowsAsync<VolumeException>(async () => await volume.WriteAsync(new byte[1], 0, Cancellation));
        Assert.Equal($"'{device.Path}' was opened for reading only", error.Message);
    }

    [Fact]
    public async Task A_mounted_device_is_read_but_not_written()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(8 << 20);
        device.Format();
        using (device.Mount())
        {
            AssertRefused(FileVolume.OpenWrite, device.Path, $"block device '{device.Path}' is in use: it is mounted or part of another device; release it first");
            await FileVolume.OpenRead(device.Path).DisposeAsync();
        }
        await FileVolume.OpenWrite(device.Path).DisposeAsync();
    }

    [Fact]
    public async Task A_device_is_written_by_one_at_a_time()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(4096);
        await using FileVolume first = FileVolume.OpenWrite(device.Path);
        AssertRefused(FileVolume.OpenWrite, device.Path, $"block device '{device.Path}' is in use: it is mounted or part of another device; release it first");
    }

    [Fact]
    public void A_read_only_device_is_not_written()
    {
        Requires.LoopDevices();
        using var directory = new ScratchDirectory();
        File.WriteAllBytes(directory.File("backing.img"), new byte[4096]);
        using LoopDevice device = LoopDevice.Attach(directory.File("backing.img"), readOnly: true);
        AssertRefused(FileVolume.OpenWrite, device.Path, $"'{device.Path}' is read-only");
    }

    [Fact]
    public void A_device_with_nothing_attached_is_not_an_empty_volume()
    {
        Requires.LoopDevices();
        using var directory = new ScratchDirectory();
        // A file of no bytes: the same as no file to the one who opens the device, and no other test can take it meanwhile.
        File.WriteAllBytes(directory.File("backing.img"), []);
        using LoopDevice device = LoopDevice.Attach(directory.File("backing.img"));
        AssertRefused(FileVolume.OpenRead, device.Path, $"block device '{device.Path}' has nothing attached to it");
        AssertRefused(FileVolume.OpenWrite, device.Path, $"block device '{device.Path}' has nothing attached to it");
    }

    [Fact]
    public async Task Zeros_on_a_device_free_what_is_below_it()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(1 << 20);
        await using (FileVolume volume = FileVolume.OpenWrite(device.Path))
        {
            await volume.WriteAsync(new byte[1 << 20], 0, Cancellation);
            await volume.FlushAsync(Cancellation);
            Assert.Equal([new VolumeExtent(0, 1 << 20)], await BackingExtentsAsync(device));
            await volume.WriteZerosAsync(65_537, (1 << 20) - 65_537, Cancellation);
            await volume.FlushAsync(Cancellation);
        }
        Assert.Equal([new VolumeExtent(0, 69_632)], await BackingExtentsAsync(device));
    }

    [Fact]
    public async Task A_device_whose_file_system_is_full_is_an_error_at_the_flush_at_the_latest()
    {
        Requires.LoopDevices();
        using MountPoint small = MountPoint.Tmpfs(1 << 20);
        string backing = small.File("backing.img");
        await FileVolume.Create(backing, 8 << 20).DisposeAsync();
        using LoopDevice device = LoopDevice.Attach(backing);
        await using FileVolume volume = FileVolume.OpenWrite(device.Path);
        var noise = new byte[8 << 20];
        new Random(1).NextBytes(noise);
        var error = await Assert.ThrowsAsync<VolumeException>(async () =>
        {
            await volume.WriteAsync(noise, 0, Cancellation);
            await volume.FlushAsync(Cancellation);
        });
        Assert.Contains(
            error.Message,
            new[] { $"cannot flush '{device.Path}': the device reports an input/output error", $"cannot flush '{device.Path}': no space left on the device" });
    }

    [Fact]
    public async Task A_file_system_survives_being_copied_from_device_to_device()
    {
        Requires.LoopDevices();
        using LoopDevice source = LoopDevice.Create(16 << 20);
        source.Format();
        using (MountPoint mount = source.Mount())
            await File.WriteAllTextAsync(mount.File("hello"), "from the source", Cancellation);
        using LoopDevice target = LoopDevice.Create(16 << 20);
        await using (FileVolume from = FileVolume.OpenRead(source.Path))
        await using (FileVolume to = FileVolume.OpenWrite(target.Path))
        {
            await to.WriteAsync(await from.ReadAllAsync(Cancellation), 0, Cancellation);
            await to.FlushAsync(Cancellation);
        }
        SystemTool.Run("e2fsck", "-fn", target.Path);
        using MountPoint copy = target.Mount();
        Assert.Equal("from the source", await File.ReadAllTextAsync(copy.File("hello"), Cancellation));
    }

    private static async Task<List<VolumeExtent>> BackingExtentsAsync(LoopDevice device)
    {
        await using FileVolume backing = FileVolume.OpenRead(device.BackingFile);
        return await backing.FindAllAllocatedAsync(Cancellation);
    }
}
