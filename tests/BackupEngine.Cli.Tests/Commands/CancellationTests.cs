using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Ctrl-C, and what a service manager sends, in the middle of things.</summary>
public sealed class CancellationTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
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
        await backup.WhenAsync(() => Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Any(path => path.Contains("/intents/", StringComparison.Ordinal)));
        backup.Signal(signal);

        (await backup.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled");
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
        await _workspace.MustStillHoldAsync(id, content);
    }

    [LongRunning]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_tour_cleans_up_even_as_a_background_job(bool interruptIgnored)
    {
        string directory = _workspace.PathOf("tours");
        using CliProcess demo = CliProcess.Start(new CliSettings { StartsWithInterruptIgnored = interruptIgnored }, "demo", "--directory", directory);
        await demo.WhenAsync(() => Directory.Exists(directory) && Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any(path => path.Contains("/packs/", StringComparison.Ordinal)));
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
}
