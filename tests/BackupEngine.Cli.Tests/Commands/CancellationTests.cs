using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Ctrl-C, and what a service manager sends, in the middle of things.</summary>
public sealed class CancellationTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(CliProcess.Interrupt, "")]
    [InlineData(CliProcess.Terminate, "")]
    [InlineData(CliProcess.Interrupt, "--incremental")]
    public async Task A_cancelled_backup_leaves_the_store_as_it_was(int signal, string how)
    {
        (string id, byte[] content) = await BackUpSmallAsync();
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);

        // Text at the highest level of zstd keeps one worker busy for far longer than a signal takes.
        string volume = _workspace.WriteTextVolume("text.img", 256 << 20);
        string[] arguments = ["backup", volume, "--store", _workspace.Store, "--compression", "zstd:22", "--workers", "1", "--volume-id", "vm", .. how.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        using CliProcess backup = CliProcess.Start(new CliSettings(), arguments);
        await WhenAsync(() => Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Any(path => path.Contains("/intents/", StringComparison.Ordinal)), backup);
        backup.Signal(signal);

        (await backup.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled");
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
        await _workspace.MustStillHoldAsync(id, content);
    }

    [Theory]
    [InlineData(CliProcess.Interrupt)]
    [InlineData(CliProcess.Terminate)]
    public async Task A_cancelled_restore_takes_its_unfinished_file_away(int signal)
    {
        byte[] content = Workspace.Bytes(256 << 20, seed: 1);
        File.WriteAllBytes(_workspace.PathOf("volume.img"), content);
        string id = await _workspace.BackupIdAsync(_workspace.PathOf("volume.img"));
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);

        string target = _workspace.PathOf("target.img");
        using CliProcess restore = CliProcess.Start(new CliSettings(), "restore", id, "--store", _workspace.Store, "--to", target);
        await WhenAsync(() => File.Exists(target), restore);
        restore.Signal(signal);

        (await restore.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled", target, "removed");
        Assert.False(File.Exists(target));
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
        await _workspace.MustStillHoldAsync(id, content);
    }

    [Fact]
    public async Task A_cancelled_restore_over_a_file_leaves_the_file_and_says_what_it_is_now()
    {
        string id = await _workspace.BackupIdAsync(_workspace.WriteVolume("volume.img", 256 << 20, seed: 1));
        string target = _workspace.PathOf("target.img");
        using (FileStream file = File.Create(target))
            file.SetLength(256 << 20);
        File.SetLastWriteTimeUtc(target, DateTime.UnixEpoch);

        using CliProcess restore = CliProcess.Start(new CliSettings(), "restore", id, "--store", _workspace.Store, "--to", target);
        await WhenAsync(() => File.GetLastWriteTimeUtc(target) != DateTime.UnixEpoch, restore);
        restore.Signal(CliProcess.Interrupt);

        (await restore.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled", target, "restore to it again");
        Assert.Equal(256 << 20, new FileInfo(target).Length);
    }

    [Fact]
    public async Task A_cancelled_tour_cleans_up()
    {
        string directory = _workspace.PathOf("tours");
        using CliProcess demo = CliProcess.Start(new CliSettings(), "demo", "--directory", directory);
        await WhenAsync(() => Directory.Exists(directory) && Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any(path => path.Contains("/packs/", StringComparison.Ordinal)), demo);
        demo.Signal(CliProcess.Interrupt);

        CliResult result = await demo.WaitAsync();
        Assert.Equal(ExitCodes.Cancelled, result.ExitCode);
        Assert.StartsWith("error: cancelled", result.Stderr, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
    }

    private async Task<(string Id, byte[] Content)> BackUpSmallAsync()
    {
        string volume = _workspace.WriteVolume("small.img", 300_000, seed: 1);
        return (await _workspace.BackupIdAsync(volume, "--volume-id", "vm"), File.ReadAllBytes(volume));
    }

    /// <summary>Waits until the program has come to where the test wants it, which it must do before its end.</summary>
    private static async Task WhenAsync(Func<bool> reached, CliProcess process)
    {
        while (!reached())
        {
            Assert.False(process.HasExited, "The program ended before it could be interrupted.");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
