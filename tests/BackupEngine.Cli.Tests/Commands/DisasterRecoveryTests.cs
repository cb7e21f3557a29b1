using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Everything is gone but the bucket: a process that knows nothing else lists and restores all that it holds.</summary>
public sealed class DisasterRecoveryTests : IDisposable
{
    private readonly Workspace _lost = new();
    private readonly Workspace _new = new();

    public void Dispose() => _new.Dispose();

    [LongRunning]
    [Fact]
    public async Task From_a_directory_alone_everything_is_listed_and_restored()
    {
        Dictionary<string, byte[]> expected = await BackUpAsync(_lost.Store, new CliSettings());

        // The container is moved away from where it was made; the rest is lost.
        string moved = _new.PathOf("all-that-is-left");
        Directory.Move(_lost.Store, moved);
        _lost.Dispose();
        await RecoverAsync(expected, moved, new CliSettings());
    }

    [Fact]
    public async Task From_a_bucket_alone_everything_is_listed_and_restored()
    {
        await using S3Place place = await S3Place.NewAsync();
        Dictionary<string, byte[]> expected = await BackUpAsync(place.Store, place.Settings);
        _lost.Dispose();
        await RecoverAsync(expected, place.Store, place.Settings);
    }

    /// <summary>Two volumes, each with a full and two incrementals, one of them grown.</summary>
    /// <returns>What each backup must restore to.</returns>
    private async Task<Dictionary<string, byte[]>> BackUpAsync(string store, CliSettings settings)
    {
        var expected = new Dictionary<string, byte[]>();
        foreach ((string name, int seed) in new[] { ("first.img", 1), ("second.img", 2) })
        {
            string volume = _lost.WriteVolume(name, 1 << 20, seed);
            await AddAsync(volume);
            Workspace.Change(volume, 200_000, 100_000, seed + 10);
            await AddAsync(volume, "--incremental");
            Workspace.Change(volume, 1 << 20, 12_345, seed + 20);
            await AddAsync(volume, "--incremental");
        }

        return expected;

        async Task AddAsync(string volume, params string[] more)
        {
            JsonElement backup = (await CliProcess.RunAsync(settings, ["backup", volume, "--store", store, "--json", .. more])).MustSucceed().Json;
            expected[backup.GetProperty("id").GetString()!] = await File.ReadAllBytesAsync(volume, TestContext.Current.CancellationToken);
        }
    }

    private async Task RecoverAsync(Dictionary<string, byte[]> expected, string store, CliSettings settings)
    {
        CliSettings fresh = settings with
        {
            WorkingDirectory = Directory.CreateDirectory(_new.PathOf("elsewhere")).FullName,
            Environment = new Dictionary<string, string?>(settings.Environment) { ["HOME"] = _new.PathOf("home") },
        };
        JsonElement list = (await CliProcess.RunAsync(fresh, "list", "--store", store, "--json")).MustSucceed().Json;
        Assert.Equal(expected.Keys.Order(), list.EnumerateArray().Select(backup => backup.GetProperty("id").GetString()!).Order());
        Assert.All(list.EnumerateArray(), backup => Assert.Equal("available", backup.GetProperty("status").GetString()));
        Assert.Equal(2, list.EnumerateArray().Select(backup => backup.GetProperty("volume_id").GetString()).Distinct().Count());
        (await CliProcess.RunAsync(fresh, "verify", "--store", store, "--deep")).MustSucceed();
        foreach ((string id, byte[] content) in expected)
        {
            string target = _new.PathOf($"{id}.img");
            (await CliProcess.RunAsync(fresh, "restore", id, "--store", store, "--to", target)).MustSucceed();
            Assert.Equal(content, await File.ReadAllBytesAsync(target, TestContext.Current.CancellationToken));
        }
    }
}
