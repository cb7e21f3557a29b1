using System.Text.Json;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary><c>--hash</c>, and what the program says of chains with a weak one.</summary>
public sealed class HashTests : IDisposable
{
    private const int Size = 1 << 20;
    private const string Warning = "continues a chain with the hash xxh128";
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Theory]
    [InlineData(null, "blake3")]
    [InlineData("blake3", "blake3")]
    [InlineData("blake3-256", "blake3-256")]
    [InlineData("sha256", "sha256")]
    [InlineData("xxh128", "xxh128")]
    public async Task Backup_Hash_IsInTheRecordAndTheBackupRestores(string? hash, string expected)
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        JsonElement record = await _workspace.BackupAsync(volume, hash is null ? [] : ["--hash", hash]);
        Assert.Equal(expected, record.GetProperty("hash").GetString());
        string id = record.GetProperty("id").GetString()!;
        Assert.Contains(expected, (await CliProcess.RunAsync("show", id, "--store", _workspace.Store)).MustSucceed().Stdout.Split('\n').Single(line => line.StartsWith("hash", StringComparison.Ordinal)), StringComparison.Ordinal);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [Fact]
    public async Task Backup_UnknownHash_IsAUsageErrorThatNamesTheHashes()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--hash", "md5")).MustFail(ExitCodes.WrongUsage, "blake3-256");
    }

    [Fact]
    public async Task Backup_IncrementalContinuesChainWithXxh128_WarnsOnceWhatToDo()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        CliResult full = (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--hash", "xxh128")).MustSucceed();
        Assert.DoesNotContain(Warning, full.Stderr, StringComparison.Ordinal);
        CliResult next = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental");
        Assert.Equal(ExitCodes.Done, next.ExitCode);
        string line = Assert.Single(next.Stderr.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("warning: ", line, StringComparison.Ordinal);
        Assert.Contains(Warning, line, StringComparison.Ordinal);
        Assert.Contains("make a full backup", line, StringComparison.Ordinal);

        CliResult chosen = (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental", "--hash", "xxh128")).MustSucceed();
        Assert.DoesNotContain(Warning, chosen.Stderr, StringComparison.Ordinal);
    }
}
