using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Volumes;

/// <summary>Every way in which opening a volume goes wrong, with its message.</summary>
public sealed class FileVolumeOpeningTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public static TheoryData<Func<string, FileVolume>> Openers => new(FileVolume.OpenRead, FileVolume.OpenWrite);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_missing_file_does_not_exist(Func<string, FileVolume> open)
    {
        string path = _directory.File("missing.img");
        AssertRefused(open, path, $"volume '{path}' does not exist");
        Assert.False(File.Exists(path));
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_file_in_a_missing_directory_does_not_exist(Func<string, FileVolume> open)
    {
        string path = _directory.File("missing/volume.img");
        AssertRefused(open, path, $"volume '{path}' does not exist");
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_dangling_link_does_not_exist(Func<string, FileVolume> open)
    {
        string path = _directory.File("link");
        File.CreateSymbolicLink(path, _directory.File("missing.img"));
        AssertRefused(open, path, $"volume '{path}' does not exist");
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_file_taken_for_a_directory_is_named(Func<string, FileVolume> open)
    {
        Requires.Linux("The error of a path through a file");
        File.WriteAllText(_directory.File("file"), "x");
        string path = _directory.File("file/volume.img");
        AssertRefused(open, path, $"volume '{path}' does not exist: part of the path is not a directory");
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_directory_is_no_volume(Func<string, FileVolume> open) =>
        AssertRefused(open, _directory.Path, $"'{_directory.Path}' is a directory, not a disk image or block device");

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_character_device_is_no_volume(Func<string, FileVolume> open)
    {
        Requires.Linux("The character device /dev/zero");
        AssertRefused(open, "/dev/zero", "'/dev/zero' is neither a regular file nor a block device");
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_pipe_is_no_volume_and_nobody_waits_for_its_other_end(Func<string, FileVolume> open)
    {
        Requires.Linux("A named pipe");
        string path = _directory.File("pipe");
        SystemTool.Run("mkfifo", path);
        AssertRefused(open, path, $"'{path}' is neither a regular file nor a block device");
    }

    [Theory]
    [MemberData(nameof(Openers))]
    public void A_circle_of_links_is_refused(Func<string, FileVolume> open)
    {
        Requires.Linux("The text of the error message");
        string path = _directory.File("circle");
        File.CreateSymbolicLink(path, path);
        AssertRefused(open, path, $"cannot open '{path}': Too many levels of symbolic links");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void A_path_that_can_be_none_is_refused(string path)
    {
        const string Message = "the path of a volume must not be empty nor hold a NUL character";
        AssertRefused(FileVolume.OpenRead, path, Message);
        AssertRefused(FileVolume.OpenWrite, path, Message);
        AssertRefused(name => FileVolume.Create(name, 1), path, Message);
    }

    [Fact]
    public void A_path_must_be_given()
    {
        Assert.Throws<ArgumentNullException>(() => FileVolume.OpenRead(null!));
        Assert.Throws<ArgumentNullException>(() => FileVolume.Create(null!, 1));
    }

    [Fact]
    public void A_file_of_others_needs_their_permission()
    {
        Requires.Linux("One thread with another user's file access");
        A_missing_file_does_not_exist(FileVolume.OpenRead); // loads all code while its files may still be read
        string path = _directory.File("secret.img");
        File.WriteAllText(path, "x");
        SystemTool.Run("chmod", "0", path);
        Unprivileged.Run(() =>
        {
            AssertRefused(FileVolume.OpenRead, path, $"no permission to read '{path}'");
            AssertRefused(FileVolume.OpenWrite, path, $"no permission to write to '{path}'");
        });
    }

    [Fact]
    public void A_directory_of_others_needs_their_permission()
    {
        Requires.Linux("One thread with another user's file access");
        A_missing_file_does_not_exist(FileVolume.OpenRead); // loads all code while its files may still be read
        string directory = Directory.CreateDirectory(_directory.File("closed")).FullName;
        SystemTool.Run("chmod", "0", directory);
        string path = Path.Combine(directory, "volume.img");
        Unprivileged.Run(() =>
        {
            AssertRefused(FileVolume.OpenRead, path, $"no permission to read '{path}'");
            AssertRefused(name => FileVolume.Create(name, 5), path, $"cannot create '{path}' of 5 bytes: no permission to create files there");
        });
        SystemTool.Run("chmod", "700", directory);
    }

    [Fact]
    public async Task A_file_being_written_is_not_opened_again_until_it_is_closed()
    {
        string path = _directory.File("volume.img");
        await File.WriteAllBytesAsync(path, new byte[100], TestContext.Current.CancellationToken);
        string message = $"'{path}' is in use: somebody has opened it to write, or is still reading what is to be written";
        await using (FileVolume writer = FileVolume.OpenWrite(path))
        {
            AssertRefused(FileVolume.OpenWrite, path, message);
            AssertRefused(FileVolume.OpenRead, path, message);
        }
        await using (FileVolume reader = FileVolume.OpenRead(path))
        {
            AssertRefused(FileVolume.OpenWrite, path, message);
            await FileVolume.OpenRead(path).DisposeAsync();
        }
        await FileVolume.OpenWrite(path).DisposeAsync();
    }

    [Fact]
    public async Task Links_are_followed_and_the_name_is_as_it_was_given()
    {
        string path = _directory.File("link");
        await File.WriteAllBytesAsync(_directory.File("volume.img"), [1, 2, 3], TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(path, "volume.img");
        await using FileVolume volume = FileVolume.OpenRead(path);
        Assert.Equal(path, volume.Name);
        Assert.Equal(3, volume.SizeBytes);
        Assert.False(volume.IsZeroed);
    }

    internal static void AssertRefused(Func<string, FileVolume> open, string path, string message)
    {
        var error = Assert.Throws<VolumeException>(() => open(path));
        Assert.Equal(message, error.Message);
        Assert.Equal(path, error.VolumeName);
        Assert.False(error.IsTransient);
    }
}
