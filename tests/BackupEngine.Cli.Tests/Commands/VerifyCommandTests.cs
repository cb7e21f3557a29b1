using System.Text.Json;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

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
