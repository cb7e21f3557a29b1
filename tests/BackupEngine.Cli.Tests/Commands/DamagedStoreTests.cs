using System.Text.Json;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>A store that lost some of its objects: what the commands keep, say and bring back.</summary>
public sealed class DamagedStoreTests : IDisposable
{
    private const int Size = 500_000;
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Prune_AllRecordsLost_IsRefusedUntilRepairRebuildsThem()
    {
        (string volume, string id) = await BackUpAsync();
        Directory.Delete(Path.Combine(_workspace.Store, "records"), recursive: true);
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);
        (await CliProcess.RunAsync("prune", "--store", _workspace.Store)).MustFail(ExitCodes.RefusedByState, "repair");
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));

        CliResult repair = (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).MustSucceed();
        Assert.Contains($"Rebuilt the record of backup {id}", repair.Stdout, StringComparison.Ordinal);
        (await CliProcess.RunAsync("prune", "--store", _workspace.Store)).MustSucceed();
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
        Assert.Contains("rebuilt", (await CliProcess.RunAsync("show", id, "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prune_Orphans_AreListedAndGoWhenAskedFor()
    {
        (string volume, string id) = await BackUpAsync();
        Workspace.Change(volume, offset: 0, length: 100, seed: 2);
        string lost = await _workspace.BackupIdAsync(volume, "--incremental");
        File.Delete(Directory.EnumerateFiles(Path.Combine(_workspace.Store, "records"), $"{lost}.json", SearchOption.AllDirectories).Single());
        CliResult listed = (await CliProcess.RunAsync("prune", "--store", _workspace.Store)).MustSucceed();
        Assert.Contains($"Kept 3 objects of backup {lost}", listed.Stdout, StringComparison.Ordinal);
        CliResult young = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--orphans", "--json")).MustSucceed();
        JsonElement data = Assert.Single(young.Json.GetProperty("unreferenced").EnumerateArray());
        Assert.Equal(("manifest_without_record", lost, false), (data.GetProperty("kind").GetString(), data.GetProperty("backup_id").GetString(), data.GetProperty("removed").GetBoolean()));
        CliResult gone = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--orphans", "--orphan-age", "0m")).MustSucceed();
        Assert.Contains($"Removed 3 objects of backup {lost}", gone.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(Workspace.FilesOf(_workspace.Store), path => path.Contains(lost, StringComparison.Ordinal));
        (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--deep")).MustSucceed();
        Assert.NotEqual(lost, id);
    }

    [Theory]
    [InlineData("skip")]
    [InlineData("zero")]
    public async Task Restore_DamagedBackup_RestoresTheRestWithExitCode5(string damaged)
    {
        (string volume, string id) = await BackUpAsync();
        string pack = Directory.EnumerateFiles(_workspace.Store, "00000001", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(pack);
        bytes[100] ^= 1;
        File.WriteAllBytes(pack, bytes);
        Assert.Equal(ExitCodes.CorruptionFound, (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).ExitCode);
        string target = _workspace.PathOf("target.img");
        byte[] old = Workspace.Bytes(Size, seed: 9);
        File.WriteAllBytes(target, old);
        (await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", target)).MustFail(ExitCodes.RefusedByState, "--damaged");
        Assert.Equal(old, File.ReadAllBytes(target));

        CliResult result = await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", target, "--damaged", damaged, "--json");
        Assert.Equal(ExitCodes.CorruptionFound, result.ExitCode);
        Assert.Equal(ExitCodes.CorruptionFound, result.Json.GetProperty("exit_code").GetInt32());
        JsonElement lost = Assert.Single(result.Json.GetProperty("lost_ranges").EnumerateArray());
        (int offset, int length) = (lost.GetProperty("offset").GetInt32(), lost.GetProperty("length").GetInt32());
        Assert.Equal(length, result.Json.GetProperty("bytes_lost").GetInt64());
        byte[] expected = File.ReadAllBytes(volume);
        if (damaged == "zero")
            expected.AsSpan(offset, length).Clear();
        else
            old.AsSpan(offset, length).CopyTo(expected.AsSpan(offset));
        Assert.Equal(expected, File.ReadAllBytes(target));

        // The pack is mended: so is the backup.
        bytes[100] ^= 1;
        File.WriteAllBytes(pack, bytes);
        Assert.Contains("marked as damaged, but", (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--deep")).MustSucceed().Stdout, StringComparison.Ordinal);
        Assert.Contains($"Backup {id} is intact again", (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [Fact]
    public async Task Repair_DataNotMounted_IsRefusedUnlessAccepted()
    {
        (string volume, string id) = await BackUpAsync();
        string data = Path.Combine(_workspace.Store, "volumes");
        Directory.Move(data, _workspace.PathOf("elsewhere"));
        (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).MustFail(ExitCodes.RefusedByState, "mounted");
        Directory.Move(_workspace.PathOf("elsewhere"), data);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
        Directory.Delete(data, recursive: true);
        CliResult accepted = await CliProcess.RunAsync("repair", "--store", _workspace.Store, "--accept-missing-packs");
        Assert.Equal(ExitCodes.CorruptionFound, accepted.ExitCode);
        Assert.Contains($"Marked backup {id}", accepted.Stdout, StringComparison.Ordinal);
    }

    private async Task<(string Volume, string Id)> BackUpAsync()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        return (volume, await _workspace.BackupIdAsync(volume));
    }
}
