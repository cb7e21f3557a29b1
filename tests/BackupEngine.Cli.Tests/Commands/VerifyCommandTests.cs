using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task A_whole_store_is_well()
    {
        await BackUpTwiceAsync();
        foreach (string command in (string[])["verify", "verify --deep", "verify latest", "verify latest --deep"])
        {
            CliResult result = (await CliProcess.RunAsync([.. command.Split(' '), "--store", _workspace.Store])).MustSucceed();
            Assert.Contains("all is well", result.Stdout, StringComparison.Ordinal);
        }
    }

    [LongRunning]
    [Theory]
    [InlineData("verify")]
    [InlineData("verify --deep")]
    public async Task A_missing_pack_is_found(string command)
    {
        await BackUpTwiceAsync();
        File.Delete(Packs().First());
        CliResult result = await CliProcess.RunAsync([.. command.Split(' '), "--store", _workspace.Store]);
        Assert.Equal(ExitCodes.CorruptionFound, result.ExitCode);
        string line = Assert.Single(result.Stderr.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.Contains("/packs/", line, StringComparison.Ordinal);
        Assert.Contains("/packs/", result.Stdout, StringComparison.Ordinal);
    }

    [LongRunning]
    [Fact]
    public async Task A_single_flipped_bit_is_found_by_a_deep_look()
    {
        await BackUpTwiceAsync();
        string pack = Packs().First();
        byte[] bytes = File.ReadAllBytes(pack);
        bytes[bytes.Length / 2] ^= 0x01;
        File.WriteAllBytes(pack, bytes);

        CliResult result = await CliProcess.RunAsync("verify", "--deep", "--store", _workspace.Store, "--json");
        Assert.Equal(ExitCodes.CorruptionFound, result.ExitCode);
        Assert.False(result.Json.GetProperty("ok").GetBoolean());
        JsonElement finding = result.Json.GetProperty("findings").EnumerateArray().First();
        Assert.Contains("/packs/", finding.GetProperty("key").GetString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.CorruptionFound, result.Json.GetProperty("exit_code").GetInt32());
    }

    /// <summary>All volumes were looked at, whatever was named, and a name that was mistyped was well.</summary>
    [LongRunning]
    [Fact]
    public async Task Only_the_volume_that_is_named_is_looked_at_and_one_that_is_not_there_is_an_error()
    {
        await BackUpTwiceAsync();
        await _workspace.BackupIdAsync(_workspace.WriteVolume("other.img", 100_000, seed: 3), "--volume-id", "other");
        CliResult other = (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--volume-id", "other", "--json")).MustSucceed();
        Assert.Equal(1, other.Json.GetProperty("backups_checked").GetInt32());
        (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--volume-id", "otter")).MustFail(ExitCodes.NotFound);
    }

    private async Task BackUpTwiceAsync()
    {
        string volume = _workspace.WriteVolume("volume.img", 500_000, seed: 1);
        await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 100_000, length: 100, seed: 2);
        await _workspace.BackupIdAsync(volume, "--incremental");
    }

    private IEnumerable<string> Packs() =>
        Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Where(path => path.Contains("/packs/", StringComparison.Ordinal)).Order();
}
