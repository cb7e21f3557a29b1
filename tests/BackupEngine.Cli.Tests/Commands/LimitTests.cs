using System.Diagnostics;
using System.Text.Json;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class LimitTests(Workspace workspace) : IClassFixture<Workspace>
{
    [Theory]
    [InlineData("50MiB/s", 50L << 20)]
    [InlineData("50mib/S", 50L << 20)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("4096", 4096)]
    public void A_rate_is_a_size_and_a_second_if_one_likes(string text, long bytes)
    {
        Assert.True(RateSyntax.TryParse(text, out long parsed, out _));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/s")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("5MB/s")]
    [InlineData("5MiB/min")]
    public void What_is_no_rate_is_refused_by_name(string text)
    {
        Assert.False(RateSyntax.TryParse(text, out _, out string problem));
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
    }

    [LongRunning]
    [Fact]
    public async Task Rates_and_memory_hold_back_backup_restore_and_verify_and_change_nothing_else()
    {
        string volume = workspace.WriteVolume("limited.img", 4 << 20, seed: 5);
        long began = Stopwatch.GetTimestamp();
        string id = await workspace.BackupIdAsync(volume, "--limit-read", "4MiB/s", "--limit-upload", "100MiB/s");
        Assert.True(Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(0.8));

        string target = workspace.PathOf("limited-restored.img");
        JsonElement restored = (await CliProcess.RunAsync(
            "restore", id, "--store", workspace.Store, "--to", target, "--max-memory", "16MiB", "--limit-download", "4MiB/s", "--json")).MustSucceed().Json;
        Assert.True(restored.GetProperty("duration_seconds").GetDouble() > 0.4);
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(target));
        (await CliProcess.RunAsync("verify", id, "--store", workspace.Store, "--deep", "--limit-download", "100MiB/s")).MustSucceed();
        (await CliProcess.RunAsync("repair", "--store", workspace.Store, "--limit-download", "100MiB/s")).MustSucceed();
        (await CliProcess.RunAsync("prune", "--store", workspace.Store, "--repack-below", "40%", "--limit-upload", "100MiB/s", "--limit-download", "100MiB/s")).MustSucceed();
    }
}
