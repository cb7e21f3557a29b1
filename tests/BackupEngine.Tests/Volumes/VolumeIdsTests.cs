using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Volumes;

public sealed class VolumeIdsTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/nowhere/disk.img", "e6ec97f0-77d5-5a8c-9f5a-e25c508b8b0b")]
    [InlineData("/dev/vg/data", "2ab2589f-abec-50db-8a23-330d31e555a1")]
    [InlineData("/nowhere/Ünïcode disk#1.img", "5a24255f-9709-5fd7-b73e-565a39fc43d3")]
    public void The_id_is_the_version_5_uuid_of_the_file_url(string path, string expected)
    {
        Requires.Unix("A path without a drive");
        Assert.Equal(Guid.Parse(expected), VolumeIds.FromPath(path));
    }

    [Fact]
    public void All_spellings_of_a_path_have_one_id_and_other_paths_have_others()
    {
        string path = _directory.File("disk.img");
        Guid id = VolumeIds.FromPath(path);
        Assert.Equal(id, VolumeIds.FromPath(_directory.File("./missing/.././disk.img")));
        Assert.Equal(id, VolumeIds.FromPath(Path.GetRelativePath(Directory.GetCurrentDirectory(), path)));
        Assert.Equal(id, VolumeIds.FromPath(path + Path.DirectorySeparatorChar));
        Assert.NotEqual(id, VolumeIds.FromPath(path + "2"));
        File.WriteAllText(path, "x");
        Assert.Equal(id, VolumeIds.FromPath(path));
    }

    [Fact]
    public void Links_to_files_and_directories_are_resolved()
    {
        string real = Directory.CreateDirectory(_directory.File("real/deep")).FullName;
        Guid id = VolumeIds.FromPath(Path.Combine(real, "disk.img"));
        File.CreateSymbolicLink(_directory.File("absolute"), real);
        File.CreateSymbolicLink(_directory.File("relative"), "real/deep/../deep");
        File.CreateSymbolicLink(_directory.File("file.img"), "absolute/disk.img");
        Assert.Equal(id, VolumeIds.FromPath(_directory.File("absolute/disk.img")));
        Assert.Equal(id, VolumeIds.FromPath(_directory.File("relative/disk.img")));
        Assert.Equal(id, VolumeIds.FromPath(_directory.File("file.img")));
    }

    [Fact]
    public void The_parent_of_a_link_is_the_parent_of_its_target()
    {
        Requires.Unix("A parent directory that is resolved after links");
        Directory.CreateDirectory(_directory.File("real/deep"));
        Directory.CreateSymbolicLink(_directory.File("link"), "real/deep");
        Assert.Equal(VolumeIds.FromPath(_directory.File("real/disk.img")), VolumeIds.FromPath(_directory.File("link/../disk.img")));
        Assert.NotEqual(VolumeIds.FromPath(_directory.File("disk.img")), VolumeIds.FromPath(_directory.File("link/../disk.img")));
    }

    [Fact]
    public void A_name_below_dev_is_kept_because_what_it_links_to_changes_between_boots()
    {
        Requires.Linux("/dev");
        Assert.True(new FileInfo("/dev/stdin").LinkTarget is not null, "/dev/stdin should be a link");
        File.CreateSymbolicLink(_directory.File("disk"), "/dev/stdin");
        Assert.Equal(VolumeIds.FromPath("/dev/stdin"), VolumeIds.FromPath(_directory.File("disk")));
        Assert.NotEqual(VolumeIds.FromPath("/proc/self/fd/0"), VolumeIds.FromPath("/dev/stdin"));
    }

    [Fact]
    public void A_circle_of_links_is_refused()
    {
        string path = _directory.File("circle");
        File.CreateSymbolicLink(path, "circle");
        var error = Assert.Throws<VolumeException>(() => VolumeIds.FromPath(path));
        Assert.Equal($"'{path}' has more than 40 symbolic links, or a circle of them", error.Message);
    }

    [Fact]
    public void A_path_must_be_given()
    {
        Assert.Throws<ArgumentNullException>(() => VolumeIds.FromPath(null!));
        Assert.Throws<ArgumentException>(() => VolumeIds.FromPath(""));
    }
}
