using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class DeleteCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task A_deleted_backup_is_gone_with_its_data()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        string first = await _workspace.BackupIdAsync(volume);
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);
        string second = await _workspace.BackupIdAsync(volume);

        CliResult result = (await CliProcess.RunAsync("delete", second, "--store", _workspace.Store)).MustSucceed();
        Assert.Contains(second, result.Stdout, StringComparison.Ordinal);
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
        (await CliProcess.RunAsync("show", second, "--store", _workspace.Store)).MustFail(ExitCodes.NotFound, second);
        await _workspace.MustStillHoldAsync(first, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Fact]
    public async Task A_parent_is_not_deleted_while_an_incremental_descends_from_it()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        byte[] original = File.ReadAllBytes(volume);
        string full = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 0, length: 100, seed: 2);
        string child = await _workspace.BackupIdAsync(volume, "--incremental");

        (await CliProcess.RunAsync("delete", full, "--store", _workspace.Store)).MustFail(ExitCodes.RefusedByState, child[..8]);
        (await CliProcess.RunAsync("delete", full, "--store", _workspace.Store, "--json")).MustFailWithJson(ExitCodes.RefusedByState);
        await _workspace.MustStillHoldAsync(full, original, backups: 2);
        await _workspace.MustStillHoldAsync(child, File.ReadAllBytes(volume), backups: 2);

        (await CliProcess.RunAsync("delete", child, "--store", _workspace.Store)).MustSucceed();
        (await CliProcess.RunAsync("delete", full, "--store", _workspace.Store)).MustSucceed();
    }
}
