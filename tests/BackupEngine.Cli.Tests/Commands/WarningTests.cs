using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>What goes to stderr though the command goes on, and what when stderr or stdout takes nothing.</summary>
public sealed class WarningTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Backup_ChangedExtentsSinceDamagedBackup_IsRefused()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        string sunday = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 0, length: 100_000, seed: 2);
        string monday = await _workspace.BackupIdAsync(volume, "--incremental");
        File.Delete(Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).First(path => path.Contains($"/packs/{monday}/", StringComparison.Ordinal)));
        Assert.Equal(ExitCodes.CorruptionFound, (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).ExitCode);

        Workspace.Change(volume, offset: 400_000, length: 10, seed: 3);
        string extents = _workspace.PathOf("changed.txt");
        await File.WriteAllTextAsync(extents, "400000 10\n", TestContext.Current.CancellationToken);
        CliResult result = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--parent", monday, "--changed-extents", extents);
        Assert.Equal(ExitCodes.RefusedByState, result.ExitCode);
        Assert.Contains(monday, result.Stderr, StringComparison.Ordinal);

        // Both would stand for an earlier backup now, and the list does not tell what changed since that.
        foreach (string[] parent in new string[][] { ["--incremental"], ["--parent", "latest"] })
        {
            result = await CliProcess.RunAsync(["backup", volume, "--store", _workspace.Store, "--changed-extents", extents, .. parent]);
            Assert.Equal(ExitCodes.WrongUsage, result.ExitCode);
            Assert.Contains("--parent ID", result.Stderr, StringComparison.Ordinal);
        }

        Assert.Equal(sunday, (await _workspace.BackupAsync(volume, "--incremental")).GetProperty("parent_id").GetString());
    }

    [Fact]
    public async Task Extents_beyond_the_volume_are_refused_by_name_before_anything_is_stored()
    {
        string volume = _workspace.WriteVolume("volume.img", 1000, seed: 1);
        string extents = _workspace.PathOf("changed.txt");
        await File.WriteAllTextAsync(extents, "512 512\n", TestContext.Current.CancellationToken);
        CliResult result = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--parent", "2f6c1a7e", "--changed-extents", extents);
        Assert.Equal(ExitCodes.Failed, result.ExitCode);
        Assert.Equal($"error: {extents}: the 512 bytes from 512 are not within {volume}, which has 1000 bytes\n", result.Stderr);
        Assert.False(Directory.Exists(_workspace.Store));
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData("list --store /nowhere 2>/dev/full", ExitCodes.NotFound)]
    [InlineData("list --store /nowhere --json >/dev/full 2>/dev/full", ExitCodes.NotFound)]
    [InlineData("list --store \"$STORE\" --json >/dev/full", ExitCodes.Failed)]
    public async Task A_full_disk_behind_the_output_still_leaves_the_exit_code(string command, int exitCode)
    {
        await _workspace.BackupIdAsync(_workspace.WriteVolume("volume.img", 1000, seed: 1));
        (int actual, _, string errors) = SystemTool.TryRun("sh", "-c", $"STORE='{_workspace.Store}'; '{CliProcess.ProgramPath}' {command}");
        Assert.True(actual == exitCode, $"{actual}: {errors}");
    }

    [LongRunning]
    [Fact]
    public async Task A_record_that_cannot_be_read_nor_repaired_can_be_deleted_by_its_full_id()
    {
        string id = await _workspace.BackupIdAsync(_workspace.WriteVolume("volume.img", 1000, seed: 1));
        string record = Directory.EnumerateFiles(Path.Combine(_workspace.Store, "records"), "*.json", SearchOption.AllDirectories).Single();
        await File.WriteAllTextAsync(record, "garbage", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.CorruptionFound, (await CliProcess.RunAsync("delete", id[..8], "--store", _workspace.Store)).ExitCode);
        JsonElement deleted = (await CliProcess.RunAsync("delete", id, "--store", _workspace.Store, "--json")).MustSucceed().Json;
        Assert.Equal(id, deleted.GetProperty("id").GetString());
        (await CliProcess.RunAsync("prune", "--store", _workspace.Store)).MustSucceed();
        Assert.Single(Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories), file => !file.EndsWith('~'));
    }
}
