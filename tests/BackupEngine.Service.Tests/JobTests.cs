using System.Text.Json.Nodes;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Tests.Running;
using BackupEngine.TestKit.Requirements;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests;

/// <summary>What becomes of jobs: run once, cancelled, taken up again.</summary>
public sealed class JobTests
{
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Force_delete_cancels_a_backup_that_is_being_written_and_frees_its_volume()
    {
        await using GatedObjectStore store = new();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(store: store);
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } })).Json["backup"]!["id"]!;
        await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);

        Assert.Equal(400, (await service.DeleteAsync($"{Backups}/{id}")).Status);
        Assert.Equal(202, (await service.PostAsync($"{Backups}/{id}/action", """{"os-force_delete": null}""")).Status);
        await service.WaitGoneAsync(id);
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"]);

        store.Open();
        await service.BackUpAsync(volume.Id);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Force_delete_in_the_last_moment_of_an_import_leaves_nothing_of_it_in_the_container()
    {
        string copy = Guid.NewGuid().ToString();
        await using GatedObjectStore store = new(key => key.StartsWith("records/", StringComparison.Ordinal) && key.Contains(copy, StringComparison.Ordinal));
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(store: store);
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        string original = await service.BackUpAsync(volume.Id);
        JsonNode exported = (await service.GetAsync($"{Backups}/{original}/export_record")).Json["backup-record"]!;
        JsonNode record = JsonNode.Parse(Convert.FromBase64String((string)exported["backup_url"]!))!;
        record["id"] = copy;
        Assert.Equal(201, (await service.PostAsync($"{Backups}/import_record", LifeCycleTests.Record((string)exported["backup_service"]!, record))).Status);
        await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);

        Assert.Equal(202, (await service.PostAsync($"{Backups}/{copy}/action", """{"os-force_delete": null}""")).Status);
        store.Open();
        await service.WaitGoneAsync(copy);
        await foreach (ObjectInfo held in store.ListAsync("", ServiceUnderTest.Cancel))
        {
            Assert.DoesNotContain(copy, held.Key, StringComparison.Ordinal);
        }

        Assert.Equal("available", (string?)(await service.ShowAsync(original))["status"]);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Deleting_a_failed_import_leaves_the_backup_of_that_id_alone_that_came_to_be_there_meanwhile()
    {
        await using InMemoryObjectStore elsewhere = new();
        string id;
        JsonNode exported;
        await using (ServiceUnderTest other = await ServiceUnderTest.StartAsync(store: elsewhere))
        {
            TestVolume volume = TestVolume.Create(other, 1 << 20);
            volume.Fill(1);
            id = await other.BackUpAsync(volume.Id);
            exported = (await other.GetAsync($"{Backups}/{id}/export_record")).Json;
        }

        // The wrong container is mounted at first, and then the right one.
        await using InMemoryObjectStore store = new();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(store: store);
        Assert.Equal(201, (await service.PostAsync($"{Backups}/import_record", exported.ToJsonString())).Status);
        await service.WaitAsync(id, "error");
        List<string> keys = [];
        await foreach (ObjectInfo held in elsewhere.ListAsync("", ServiceUnderTest.Cancel))
        {
            keys.Add(held.Key);
            await store.PutAsync(held.Key, await elsewhere.GetAllAsync(held.Key, 64 << 20, ServiceUnderTest.Cancel), cancellationToken: ServiceUnderTest.Cancel);
        }

        Assert.Equal(202, (await service.DeleteAsync($"{Backups}/{id}")).Status);
        await service.WaitGoneAsync(id);
        foreach (string key in keys)
        {
            Assert.NotNull(await store.HeadAsync(key, ServiceUnderTest.Cancel));
        }
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Force_delete_of_a_waiting_backup_frees_its_volume_though_no_job_ever_ran()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } })).Json["backup"]!["id"]!;
        Assert.Equal("backing-up", (string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"]);

        await service.PostAsync($"{Backups}/{id}/action", """{"os-force_delete": {}}""");
        Assert.Equal("deleting", (string?)(await service.ShowAsync(id))["status"]);
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"]);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Jobs_that_a_dead_server_left_are_brought_to_rest_by_the_next()
    {
        ServiceUnderTest dead = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume first = TestVolume.Create(dead, 1000);
        TestVolume second = TestVolume.Create(dead, 1000);
        string started = (string)(await dead.PostAsync(Backups, new { backup = new { volume_id = first.Id } })).Json["backup"]!["id"]!;
        string waiting = (string)(await dead.PostAsync(Backups, new { backup = new { volume_id = second.Id } })).Json["backup"]!["id"]!;
        await using (CatalogContext catalog = dead.Catalog.Open())
        {
            // As if it had died in the middle of the first, and before the second reached the queue.
            await catalog.Backups.Where(row => row.Id == started).ExecuteUpdateAsync(set => set.SetProperty(row => row.RunningJobId, row => row.JobId), ServiceUnderTest.Cancel);
            foreach (string table in new[] { "qrtz_simple_triggers", "qrtz_triggers", "qrtz_job_details" })
            {
#pragma warning disable EF1002 // The names are the three above.
                await catalog.Database.ExecuteSqlRawAsync($"DELETE FROM {table}", ServiceUnderTest.Cancel);
#pragma warning restore EF1002
            }
        }

        await using ServiceUnderTest next = await ServiceUnderTest.StartAsync(directory: dead.Directory);
        await next.WaitAsync(waiting, "available");
        await next.WaitAsync(started, "error");
        Assert.Equal("incomplete backup reset on manager restart", (string?)(await next.ShowAsync(started))["fail_reason"]);
        Assert.Equal("available", (string?)(await next.GetAsync($"{Volumes}/{first.Id}")).Json["volume"]!["status"]);
        await next.DisposeAsync();
        await dead.DisposeAsync();
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Resetting_the_status_of_a_running_backup_ends_its_job_and_frees_the_volume()
    {
        await using GatedObjectStore store = new();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(store: store);
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } })).Json["backup"]!["id"]!;
        await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);

        Assert.Equal(202, (await service.PostAsync($"{Backups}/{id}/action", """{"os-reset_status": {"status": "ERROR"}}""")).Status);
        Assert.Equal("error", (string?)(await service.ShowAsync(id))["status"]);
        while ((string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"] == "backing-up")
        {
            await Task.Delay(20, ServiceUnderTest.Cancel);
        }

        Assert.Equal("error", (string?)(await service.ShowAsync(id))["status"]);
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_many_who_back_up_one_volume_at_once_one_does(bool onPostgres)
    {
        string? database = onPostgres ? await PostgresServer.NewDatabaseAsync() : null;
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false, database: database);
        TestVolume volume = TestVolume.Create(service, 1000);
        await service.GetAsync($"{Volumes}/{volume.Id}");

        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } })));
        Assert.Single(answers, answer => answer.Status == 202);
        Assert.All(answers.Where(answer => answer.Status != 202), answer => Assert.Equal(400, answer.Status));
    }

    [Fact]
    public async Task Two_servers_on_one_PostgreSQL_never_both_take_a_job()
    {
        const int Count = 12;
        string database = await PostgresServer.NewDatabaseAsync();
        await using ServiceUnderTest one = await ServiceUnderTest.StartAsync(database: database);
        await using ServiceUnderTest two = await ServiceUnderTest.StartAsync(directory: one.Directory, database: database);
        List<string> ids = [];
        for (int i = 0; i < Count; i++)
        {
            TestVolume volume = TestVolume.Create(one, 100_000);
            volume.Fill(i);
            ServiceUnderTest server = i % 2 == 0 ? one : two;
            ids.Add((string)(await server.PostAsync(Backups, new { backup = new { volume_id = volume.Id } })).Json["backup"]!["id"]!);
        }

        foreach (string id in ids)
        {
            await one.WaitAsync(id, "available");
            string[] starts = [.. one.Logs.Lines.Concat(two.Logs.Lines).Where(line => line.Contains($"create of backup {id} started", StringComparison.Ordinal))];
            Assert.Single(starts);
        }
    }

    [Fact]
    public async Task Jobs_run_on_PostgreSQL_as_on_SQLite()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(database: await PostgresServer.NewDatabaseAsync());
        TestVolume volume = TestVolume.Create(service, 300_000);
        byte[] content = volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id);
        volume.Change(0, 100);
        string child = await service.BackUpAsync(volume.Id, incremental: true);
        string target = (string)(await service.PostAsync($"{Backups}/{full}/restore", new { restore = new { } })).Json["restore"]!["volume_id"]!;
        await service.WaitAsync(full, "available");
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(service.VolumesDirectory, target + ".img"), ServiceUnderTest.Cancel));

        JsonArray listed = (await service.GetAsync($"{Backups}/detail?sort=name:asc&limit=1&with_count=1", "3.45")).Json["backups"]!.AsArray();
        Assert.Single(listed);
        await service.DeleteAsync($"{Backups}/{child}");
        await service.WaitGoneAsync(child);
        await service.DeleteAsync($"{Backups}/{full}");
        await service.WaitGoneAsync(full);
    }
}
