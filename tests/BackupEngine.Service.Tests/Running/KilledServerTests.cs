using System.Text.Json.Nodes;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Running;

/// <summary>A real server, killed in the middle of its work and started again.</summary>
public sealed class KilledServerTests
{
    private const int VolumeSize = 96 << 20;
    private const int Volumes = 4;

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everything_comes_to_rest_after_a_kill(bool onPostgres)
    {
        using ScratchDirectory directory = new();
        string? database = onPostgres ? await PostgresServer.NewDatabaseAsync() : null;
        ServerSetup setup = new(directory.Path) { Database = database };
        TestVolume[] volumes = [.. Enumerable.Range(0, Volumes).Select(_ => TestVolume.Create(setup.Volumes, VolumeSize))];
        byte[] content = volumes[0].Fill(1);
        foreach (TestVolume volume in volumes[1..])
        {
            volume.Fill(2);
        }

        string finished;
        string doomed;
        string? target;
        await using (ServerProcess server = await ServerProcess.StartAsync(setup))
        {
            finished = await CreateAsync(server, volumes[0]);
            doomed = await CreateAsync(server, volumes[1]);
            await server.WaitAsync(async () => await StatusAsync(server, finished) == "available" && await StatusAsync(server, doomed) == "available", "backing up");

            // An incremental, a restore, two creates and a delete: more than run at once, so that some are killed running and some waiting.
            volumes[0].Change(0, VolumeSize);
            await CreateAsync(server, volumes[0], incremental: true);
            target = (string?)(await server.PostAsync($"backups/{finished}/restore", new { restore = new { } }))!["restore"]!["volume_id"];
            await CreateAsync(server, volumes[2]);
            await server.DeleteAsync($"backups/{doomed}");
            await CreateAsync(server, volumes[3]);
            await server.WaitAsync(() => Task.FromResult(server.Log.Contains("restore of backup", StringComparison.Ordinal)), "a start");
            await server.KillAsync();
        }

        await using ServerProcess again = await ServerProcess.StartAsync(setup);
        await again.WaitAsync(() => IsAtRestAsync(again), "rest");
        foreach (JsonNode? backup in (await again.GetAsync("backups/detail"))["backups"]!.AsArray())
        {
            Assert.True((string?)backup!["status"] is "available" or "error", backup.ToJsonString());
            Assert.True((string?)backup["status"] == "available" || !string.IsNullOrEmpty((string?)backup["fail_reason"]), backup.ToJsonString());
            Assert.NotEqual(doomed, (string?)backup["id"]);
        }

        Assert.True((string?)(await again.GetAsync($"volumes/{target}"))["volume"]!["status"] is "available" or "error_restoring");
        await CheckWorkGoesOnAsync(again, setup, finished, volumes, content);
        await CheckNothingIsLeftAsync(again, setup);
        Assert.Equal(0, await again.StopAsync());
    }

    private static async Task CheckWorkGoesOnAsync(ServerProcess server, ServerSetup setup, string finished, TestVolume[] volumes, byte[] content)
    {
        string restored = (string)(await server.PostAsync($"backups/{finished}/restore", new { restore = new { name = "r" } }))!["restore"]!["volume_id"]!;
        string fresh = await CreateAsync(server, volumes[2]);
        await server.WaitAsync(() => IsAtRestAsync(server), "work after the kill");
        Assert.Equal("available", await StatusAsync(server, fresh));
        Assert.Equal("available", (string?)(await server.GetAsync($"volumes/{restored}"))["volume"]!["status"]);
        byte[] found = await File.ReadAllBytesAsync(Path.Combine(setup.Volumes, restored + ".img"), ServiceUnderTest.Cancel);
        Assert.True(content.AsSpan().SequenceEqual(found));
    }

    /// <summary>Nothing that was killed keeps a parent from being deleted, or leaves data that a prune does not take.</summary>
    private static async Task CheckNothingIsLeftAsync(ServerProcess server, ServerSetup setup)
    {
        foreach (JsonNode? backup in (await server.GetAsync("backups"))["backups"]!.AsArray())
        {
            string id = (string)backup!["id"]!;
            await server.DeleteAsync($"backups/{id}");
            await server.WaitAsync(async () => !(await server.GetAsync("backups"))["backups"]!.AsArray().Any(other => (string?)other!["id"] == id), $"the end of {id}");
        }

        DirectoryObjectStore store = new(setup.Store);
        await using BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: ServiceUnderTest.Cancel);
        await repository.PruneAsync(cancellationToken: ServiceUnderTest.Cancel);
        List<string> left = [];
        await foreach (ObjectInfo info in store.ListAsync("", ServiceUnderTest.Cancel))
        {
            left.Add(info.Key);
        }

        Assert.Equal(["backup-engine.json"], left);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_server_that_is_asked_to_end_leaves_nothing_busy()
    {
        using ScratchDirectory directory = new();
        ServerSetup setup = new(directory.Path);
        TestVolume volume = TestVolume.Create(setup.Volumes, VolumeSize);
        volume.Fill(1);
        string backup;
        await using (ServerProcess server = await ServerProcess.StartAsync(setup))
        {
            backup = await CreateAsync(server, volume);
            await server.WaitAsync(() => Task.FromResult(server.Log.Contains("create of backup", StringComparison.Ordinal)), "a start");
            Assert.Equal(0, await server.StopAsync());
        }

        await using ServerProcess again = await ServerProcess.StartAsync(setup);
        Assert.True(await StatusAsync(again, backup) is "available" or "error");
        Assert.Equal("available", (string?)(await again.GetAsync($"volumes/{volume.Id}"))["volume"]!["status"]);
    }

    private static async Task<string> CreateAsync(ServerProcess server, TestVolume volume, bool incremental = false) =>
        (string)(await server.PostAsync("backups", new { backup = new { volume_id = volume.Id, incremental } }))!["backup"]!["id"]!;

    private static async Task<string?> StatusAsync(ServerProcess server, string id) => (string?)(await server.GetAsync($"backups/{id}"))["backup"]!["status"];

    private static async Task<bool> IsAtRestAsync(ServerProcess server)
    {
        JsonArray backups = (await server.GetAsync("backups/detail"))["backups"]!.AsArray();
        JsonArray volumes = (await server.GetAsync("volumes/detail"))["volumes"]!.AsArray();
        return backups.All(backup => (string?)backup!["status"] is not ("creating" or "restoring" or "deleting"))
            && volumes.All(volume => (string?)volume!["status"] is not ("backing-up" or "restoring-backup"));
    }
}
