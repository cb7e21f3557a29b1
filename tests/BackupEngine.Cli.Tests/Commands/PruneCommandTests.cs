using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class PruneCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task The_middle_of_a_chain_goes_and_the_rest_restores()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        string first = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 0, length: 100, seed: 2);
        string second = await _workspace.BackupIdAsync(volume, "--incremental");
        Workspace.Change(volume, offset: 200_000, length: 100, seed: 3);
        string third = await _workspace.BackupIdAsync(volume, "--incremental");

        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);
        CliResult dry = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--keep-last", "1", "--dry-run")).MustSucceed();
        Assert.Contains($"Would remove backup {first}", dry.Stdout, StringComparison.Ordinal);
        Assert.Contains($"Would remove backup {second}", dry.Stdout, StringComparison.Ordinal);
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));

        CliResult result = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--keep-last", "1", "--json")).MustSucceed();
        Assert.Contains("\"backups_removed\":[", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("\"backups_kept\":1", result.Stdout, StringComparison.Ordinal);
        (await CliProcess.RunAsync("show", first, "--store", _workspace.Store)).MustFail(ExitCodes.NotFound, first);
        await _workspace.MustStillHoldAsync(third, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Theory]
    [InlineData("--keep-last", "0")]
    [InlineData("--keep-daily", "-1")]
    [InlineData("--keep-weekly", "many")]
    [InlineData("--intent-age", "5 fortnights")]
    [InlineData("--repack-below", "0%")]
    [InlineData("--repack-below", "100%")]
    public async Task Rules_that_make_no_sense_are_wrong_usage(string option, string value) =>
        (await CliProcess.RunAsync("prune", "--store", _workspace.Store, $"{option}={value}")).MustFail(ExitCodes.WrongUsage, value);

    [Theory]
    [InlineData("BACKUP_ENGINE_INTENT_STALE", "8m")]
    [InlineData("BACKUP_ENGINE_INTENT_REFRESH", "31m")]
    [InlineData("BACKUP_ENGINE_INTENT_REFRESH", "often")]
    public async Task Prune_IntentTimesThatDoNotFit_IsWrongUsage(string name, string value)
    {
        await _workspace.BackupIdAsync(_workspace.WriteVolume("volume.img", 1000, seed: 1));
        var settings = new CliSettings { Environment = new Dictionary<string, string?> { [name] = value } };
        (await CliProcess.RunAsync(settings, "prune", "--store", _workspace.Store)).MustFail(ExitCodes.WrongUsage, name);
    }

    [Theory]
    [InlineData("--sample", "0%")]
    [InlineData("--sample", "101%")]
    [InlineData("--since", "yesterday")]
    public async Task Parts_and_times_that_make_no_sense_are_wrong_usage(string option, string value) =>
        (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--deep", $"{option}={value}")).MustFail(ExitCodes.WrongUsage, value);

    [LongRunning]
    [Fact]
    public async Task Packs_that_are_mostly_dead_are_emptied()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 0, length: 400_000, seed: 2);
        string last = await _workspace.BackupIdAsync(volume, "--incremental");
        CliResult dry = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--keep-last", "1", "--repack-below", "50%", "--dry-run")).MustSucceed();
        Assert.Contains("Would empty 1 packs", dry.Stdout, StringComparison.Ordinal);
        CliResult result = (await CliProcess.RunAsync("prune", "--store", _workspace.Store, "--keep-last", "1", "--repack-below", "50%", "--json")).MustSucceed();
        Assert.Contains("\"packs_repacked\":1,", result.Stdout, StringComparison.Ordinal);
        await _workspace.MustStillHoldAsync(last, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Fact]
    public async Task A_damaged_record_is_repaired()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        string record = Directory.EnumerateFiles(Path.Combine(_workspace.Store, "records"), $"{id}.json", SearchOption.AllDirectories).Single();
        File.WriteAllText(record, "garbage");
        (await CliProcess.RunAsync("prune", "--store", _workspace.Store)).MustFail(ExitCodes.CorruptionFound, id);
        CliResult result = (await CliProcess.RunAsync("repair", "--store", _workspace.Store)).MustSucceed();
        Assert.Contains(id, result.Stdout, StringComparison.Ordinal);
        (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--deep", "--sample", "50%", "--since", "2020-01-01")).MustSucceed();
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }
}
