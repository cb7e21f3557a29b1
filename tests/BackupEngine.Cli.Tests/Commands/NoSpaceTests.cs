using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class NoSpaceTests : IDisposable
{
    // The mount first: where it is not possible the test ends here, and nobody would remove the workspace.
    private readonly MountPoint _small = MountPoint.Tmpfs(4 << 20);
    private readonly Workspace _workspace = new();

    public void Dispose()
    {
        _small.Dispose();
        _workspace.Dispose();
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_backup_without_room_fails_and_leaves_what_was_committed()
    {
        string store = Path.Combine(_small.Path, "store");
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        (await CliProcess.RunAsync("backup", volume, "--store", store, "--volume-id", "vm")).MustSucceed();
        IReadOnlyList<string> before = Workspace.FilesOf(store);

        string large = _workspace.WriteVolume("large.img", 16 << 20, seed: 2);
        (await CliProcess.RunAsync("backup", large, "--store", store, "--volume-id", "vm")).MustFail(ExitCodes.Failed, "space", store);
        (await CliProcess.RunAsync("backup", large, "--store", store, "--volume-id", "vm", "--incremental", "--json")).MustFailWithJson(ExitCodes.Failed, "space");
        Assert.Equal(before, Workspace.FilesOf(store));

        string target = _workspace.PathOf("target.img");
        (await CliProcess.RunAsync("restore", "latest", "--store", store, "--to", target)).MustSucceed();
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_restore_without_room_leaves_no_file_that_looks_complete()
    {
        string volume = _workspace.WriteVolume("volume.img", 16 << 20, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        string target = Path.Combine(_small.Path, "target.img");
        (await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", target)).MustFail(ExitCodes.Failed, "space", $"{target}.partial", "run the same command again");
        Assert.False(File.Exists(target));
        Assert.True(File.Exists($"{target}.partial"));
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }
}
