using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;
using static BackupEngine.Tests.Volumes.FileVolumeOpeningTests;

namespace BackupEngine.Tests.Volumes;

public sealed class FileVolumeCreationTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4097)]
    [InlineData(1L << 40)]
    public async Task A_new_file_is_one_hole_of_its_size(long size)
    {
        string path = _directory.File("volume.img");
        await using FileVolume volume = FileVolume.Create(path, size);
        Assert.True(volume.IsZeroed);
        Assert.Equal(size, volume.SizeBytes);
        Assert.Equal(size, new FileInfo(path).Length);
        await volume.FlushAsync(Cancellation);
        if (OperatingSystem.IsLinux())
            Assert.Null(await volume.FindAllocatedAsync(0, Cancellation));
    }

    [Fact]
    public async Task A_new_file_stays_zeroed_until_data_is_written()
    {
        await using FileVolume volume = FileVolume.Create(_directory.File("volume.img"), 10_000);
        await volume.WriteZerosAsync(0, 10_000, Cancellation);
        Assert.True(volume.IsZeroed);
        await volume.WriteAsync(new byte[] { 1 }, 9999, Cancellation);
        Assert.False(volume.IsZeroed);
    }

    [Fact]
    public async Task Zeros_make_holes_in_a_file()
    {
        Requires.Linux("A hole in a file");
        await using FileVolume volume = FileVolume.Create(_directory.File("volume.img"), 1 << 20);
        await volume.WriteAsync(new byte[1 << 20], 0, Cancellation);
        Assert.Equal([new VolumeExtent(0, 1 << 20)], await volume.FindAllAllocatedAsync(Cancellation));
        await volume.WriteZerosAsync(65_536, 131_072, Cancellation);
        Assert.Equal([new(0, 65_536), new(196_608, (1 << 20) - 196_608)], await volume.FindAllAllocatedAsync(Cancellation));
        await volume.WriteZerosAsync(0, 1 << 20, Cancellation);
        Assert.Empty(await volume.FindAllAllocatedAsync(Cancellation));
        Assert.Equal(1 << 20, new FileInfo(volume.Name).Length);
    }

    [Fact]
    public void An_existing_file_is_left_alone()
    {
        string path = _directory.File("volume.img");
        File.WriteAllText(path, "precious");
        AssertRefused(name => FileVolume.Create(name, 100), path, $"cannot create '{path}' of 100 bytes: it exists already");
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Fact]
    public void An_existing_directory_is_left_alone()
    {
        string path = Directory.CreateDirectory(_directory.File("volume.img")).FullName;
        AssertRefused(name => FileVolume.Create(name, 100), path, $"cannot create '{path}' of 100 bytes: it exists already");
    }

    [Fact]
    public void A_dangling_link_is_not_followed()
    {
        string path = _directory.File("link");
        File.CreateSymbolicLink(path, _directory.File("elsewhere.img"));
        AssertRefused(name => FileVolume.Create(name, 100), path, $"cannot create '{path}' of 100 bytes: it exists already");
        Assert.False(File.Exists(_directory.File("elsewhere.img")));
    }

    [Fact]
    public void A_missing_directory_is_named()
    {
        string path = _directory.File("missing/volume.img");
        AssertRefused(name => FileVolume.Create(name, 100), path, $"cannot create '{path}' of 100 bytes: its directory does not exist");
    }

    [Fact]
    public void A_size_that_no_file_can_have_leaves_no_file()
    {
        string path = _directory.File("volume.img");
        AssertRefused(
            name => FileVolume.Create(name, long.MaxValue),
            path,
            $"cannot create '{path}' of {long.MaxValue} bytes: the file system or a limit allows no file of that size");
        Assert.False(File.Exists(path));
    }

    [Fact]
    public void A_negative_size_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FileVolume.Create(_directory.File("volume.img"), -1));
}
