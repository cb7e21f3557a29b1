using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;
using static BackupEngine.Tests.Volumes.FileVolumeOpeningTests;

namespace BackupEngine.Tests.Volumes;

/// <summary>What goes wrong after a file was opened.</summary>
public sealed class FileVolumeTransferTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_opened_for_reading_cannot_be_written()
    {
        string path = _directory.File("volume.img");
        await File.WriteAllBytesAsync(path, [1, 2, 3], Cancellation);
        await using FileVolume volume = FileVolume.OpenRead(path);
        string message = $"'{path}' was opened for reading only";
        Assert.Equal(message, (await Assert.ThrowsAsync<VolumeException>(async () => await volume.WriteAsync(new byte[1], 0, Cancellation))).Message);
        Assert.Equal(message, (await Assert.ThrowsAsync<VolumeException>(async () => await volume.WriteZerosAsync(0, 1, Cancellation))).Message);
        await volume.FlushAsync(Cancellation);
        await VolumeAssert.HoldsAsync([1, 2, 3], volume, "whole", Cancellation);
    }

    [Fact]
    public async Task A_file_that_shrinks_while_it_is_read_is_an_error_that_names_the_offset()
    {
        string path = _directory.File("volume.img");
        await File.WriteAllBytesAsync(path, new byte[100_000], Cancellation);
        await using FileVolume volume = FileVolume.OpenRead(path);
        Truncate(path, 70_001);
        var error = await Assert.ThrowsAsync<VolumeException>(async () => await volume.ReadAsync(new byte[50_000], 50_000, Cancellation));
        Assert.Equal($"'{path}' ends at offset 70001, although it had 100000 bytes when it was opened", error.Message);
        Assert.Equal(path, error.VolumeName);
    }

    [Fact]
    public async Task The_end_that_a_sparse_file_has_lost_is_no_hole()
    {
        Requires.LoopDevices();
        string path = _directory.File("volume.img");
        Truncate(path, 10 << 20);
        await using FileVolume volume = FileVolume.OpenRead(path);
        Assert.Null(await volume.FindAllocatedAsync(1 << 20, Cancellation));
        Truncate(path, 5 << 20);
        await Assert.ThrowsAsync<VolumeException>(async () => await volume.FindAllocatedAsync(1 << 20, Cancellation));
        await Assert.ThrowsAsync<VolumeException>(async () => await volume.FindAllocatedAsync(7 << 20, Cancellation));
    }

    [Fact]
    public async Task A_file_that_grows_while_it_is_read_keeps_the_size_it_had()
    {
        string path = _directory.File("volume.img");
        await File.WriteAllBytesAsync(path, new byte[5000], Cancellation);
        await using FileVolume volume = FileVolume.OpenRead(path);
        SystemTool.Run("sh", "-c", $"printf grown >> '{path}'");
        Assert.Equal(5000, volume.SizeBytes);
        Assert.Equal([new VolumeExtent(0, 5000)], await volume.FindAllAllocatedAsync(Cancellation));
        Assert.Null(await volume.FindAllocatedAsync(5000, Cancellation));
    }

    [Fact]
    public async Task A_full_file_system_is_named_and_the_rest_of_the_volume_stays()
    {
        Requires.LoopDevices();
        using MountPoint small = MountPoint.Tmpfs(1 << 20);
        string path = small.File("volume.img");
        await using FileVolume volume = FileVolume.Create(path, 4 << 20);
        byte[] fits = [.. Enumerable.Repeat((byte)1, 512 << 10)];
        await volume.WriteAsync(fits, 0, Cancellation);
        var error = await Assert.ThrowsAsync<VolumeException>(async () => await volume.WriteAsync(new byte[1 << 20], 2 << 20, Cancellation));
        Assert.Equal($"cannot write to '{path}' (1048576 bytes at offset 2097152): no space left on the device", error.Message);

        // Zeros need no room, and make some.
        await volume.WriteZerosAsync(0, volume.SizeBytes, Cancellation);
        await volume.WriteAsync(fits, 3 << 20, Cancellation);
        await volume.FlushAsync(Cancellation);
        var expected = new byte[4 << 20];
        fits.CopyTo(expected, 3 << 20);
        await VolumeAssert.HoldsAsync(expected, volume, "whole", Cancellation);
    }

    [Fact]
    public async Task A_read_only_file_system_is_read_but_not_written()
    {
        Requires.LoopDevices();
        using MountPoint mount = MountPoint.Tmpfs(1 << 20);
        string path = mount.File("volume.img");
        await File.WriteAllBytesAsync(path, [1, 2, 3], Cancellation);
        mount.MakeReadOnly();
        AssertRefused(FileVolume.OpenWrite, path, $"'{path}' is read-only");
        string other = mount.File("new.img");
        AssertRefused(name => FileVolume.Create(name, 1), other, $"cannot create '{other}' of 1 bytes: it is read-only");
        await using FileVolume volume = FileVolume.OpenRead(path);
        await VolumeAssert.HoldsAsync([1, 2, 3], volume, "whole", Cancellation);
    }

    [Fact]
    public async Task A_closed_volume_says_so()
    {
        FileVolume volume = FileVolume.Create(_directory.File("volume.img"), 10);
        await volume.DisposeAsync();
        await volume.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await volume.ReadAsync(new byte[1], 0, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await volume.WriteAsync(new byte[1], 0, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await volume.WriteZerosAsync(0, 1, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await volume.FindAllocatedAsync(0, Cancellation));
    }

    [Fact]
    public async Task Random_models_come_out_of_files_as_they_went_in()
    {
        int seed = BackupEngine.TestKit.TestSeed.Next();
        var random = new Random(seed);
        VolumeModel model = random.NextVolume(1_000_000);
        for (int round = 0; round < 20; round++)
        {
            string path = _directory.File($"{round}.img");
            string step = random.Mutate(model, 1_000_000);
            model.WriteTo(path, sparse: random.Next(2) == 0);
            await using FileVolume file = FileVolume.OpenRead(path);
            await VolumeAssert.HoldsAsync(model.Content, file, $"seed {seed}, round {round}: {step}", Cancellation);
            await VolumeAssert.HoldsAsync(model.Content, model.ToVolume(), $"seed {seed}, round {round}: {step}", Cancellation);
        }
    }

    // Not by .NET's own calls, whose advisory lock would refuse.
    private static void Truncate(string path, long size) =>
        SystemTool.Run("truncate", "--size", size.ToString(System.Globalization.CultureInfo.InvariantCulture), path);
}
