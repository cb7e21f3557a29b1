using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests;

/// <summary>Whole lives of backups, through the API and the real engine.</summary>
public sealed class LifeCycleTests
{
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [LongRunning]
    [Fact]
    public async Task A_full_and_two_incrementals_form_a_chain_and_each_restores()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 3_000_001);
        byte[] first = volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id);
        byte[] second = volume.Change(100_000, 200_000);
        string middle = await service.BackUpAsync(volume.Id, incremental: true);
        byte[] third = volume.Zero(0, 1_000_000);
        string last = await service.BackUpAsync(volume.Id, incremental: true);

        JsonNode shown = await service.ShowAsync(last);
        Assert.True((bool)shown["is_incremental"]!);
        Assert.False((bool)shown["has_dependent_backups"]!);
        Assert.True((bool)(await service.ShowAsync(middle))["has_dependent_backups"]!);
        Assert.False((bool)(await service.ShowAsync(full))["is_incremental"]!);
        Assert.Equal(1, (int)shown["size"]!);
        Assert.Equal("backups", (string?)shown["container"]);
        Assert.True((int)(await service.ShowAsync(full))["object_count"]! > 0);

        Assert.Equal(first, await RestoreAsync(service, full));
        Assert.Equal(second, await RestoreAsync(service, middle));
        Assert.Equal(third, await RestoreAsync(service, last));
    }

    [LongRunning]
    [Fact]
    public async Task Restoring_to_an_existing_volume_writes_zeros_over_old_data()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        byte[] zeroed = volume.Zero(200_000, 500_000);
        string backup = await service.BackUpAsync(volume.Id);
        TestVolume target = TestVolume.Create(service, (1 << 20) + 4096);
        byte[] before = target.Fill(2);

        Answer answer = await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { volume_id = target.Id } });
        Assert.Equal(202, answer.Status);
        await service.WaitAsync(backup, "available");
        Assert.Equal([.. zeroed, .. before[(1 << 20)..]], target.Read());
        JsonNode shown = (await service.GetAsync($"{Volumes}/{target.Id}")).Json["volume"]!;
        Assert.Equal("available", (string?)shown["status"]);
        Assert.Equal(backup, (string?)shown["metadata"]!["src_backup_id"]);
    }

    [LongRunning]
    [Fact]
    public async Task A_new_volume_takes_its_sources_name_description_and_metadata_unless_one_was_given()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        JsonNode source = (await service.PostAsync(Volumes, new { volume = new { size = 1, name = "data", description = "d", metadata = new { a = "b" } } })).Json["volume"]!;
        string backup = await service.BackUpAsync((string)source["id"]!);

        JsonNode restored = (await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { } })).Json["restore"]!;
        Assert.Equal("restore_backup_" + backup, (string?)restored["volume_name"]);
        await service.WaitAsync(backup, "available");
        JsonNode shown = (await service.GetAsync($"{Volumes}/{restored["volume_id"]}")).Json["volume"]!;
        Assert.Equal(("data", "d", "b", backup), ((string?)shown["name"], (string?)shown["description"], (string?)shown["metadata"]!["a"], (string?)shown["metadata"]!["src_backup_id"]));

        restored = (await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { name = "mine" } })).Json["restore"]!;
        await service.WaitAsync(backup, "available");
        shown = (await service.GetAsync($"{Volumes}/{restored["volume_id"]}")).Json["volume"]!;
        Assert.Equal(("mine", "auto-created_from_restore_from_backup"), ((string?)shown["name"], (string?)shown["description"]));
    }

    [LongRunning]
    [Fact]
    public async Task A_deleted_backup_is_gone_and_its_parent_can_go_only_after_it()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id);
        volume.Change(0, 10);
        string child = await service.BackUpAsync(volume.Id, incremental: true);

        Answer refused = await service.DeleteAsync($"{Backups}/{full}");
        Assert.Equal((400, "Invalid backup: Incremental backups exist for this backup."), (refused.Status, refused.Message));
        Assert.Equal(202, (await service.DeleteAsync($"{Backups}/{child}")).Status);
        await service.WaitGoneAsync(child);
        Assert.Equal(202, (await service.DeleteAsync($"{Backups}/{full}")).Status);
        await service.WaitGoneAsync(full);
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(service.Directory, "store"), "*", SearchOption.AllDirectories), path => path.Contains("/packs/", StringComparison.Ordinal));
    }

    [LongRunning]
    [Fact]
    public async Task A_record_imported_under_another_id_is_a_second_backup_of_the_same_data()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        byte[] content = volume.Fill(7);
        string original = await service.BackUpAsync(volume.Id);
        JsonNode exported = (await service.GetAsync($"{Backups}/{original}/export_record")).Json["backup-record"]!;
        Assert.StartsWith("cinder.backup.drivers", (string?)exported["backup_service"], StringComparison.Ordinal);
        JsonNode record = JsonNode.Parse(Convert.FromBase64String((string)exported["backup_url"]!))!;
        string copy = Guid.NewGuid().ToString();
        record["id"] = copy;
        record["display_name"] = "copy";

        Answer imported = await service.PostAsync($"{Backups}/import_record", Record((string)exported["backup_service"]!, record));
        Assert.Equal(201, imported.Status);
        await service.WaitAsync(copy, "available");
        JsonNode shown = await service.ShowAsync(copy);
        Assert.Equal(("copy", volume.Id, 1), ((string?)shown["name"], (string?)shown["volume_id"], (int)shown["size"]!));

        await service.DeleteAsync($"{Backups}/{original}");
        await service.WaitGoneAsync(original);
        Assert.Equal(content, await RestoreAsync(service, copy));
    }

    [LongRunning]
    [Fact]
    public async Task A_fresh_catalog_takes_over_a_container_record_by_record()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 500_000);
        volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id);
        byte[] content = volume.Change(1000, 50_000);
        string child = await service.BackUpAsync(volume.Id, incremental: true);
        JsonNode[] records = [(await service.GetAsync($"{Backups}/{child}/export_record")).Json, (await service.GetAsync($"{Backups}/{full}/export_record")).Json];

        await using ServiceUnderTest fresh = await ServiceUnderTest.StartAsync(store: new BackupEngine.ObjectStores.DirectoryObjectStore(Path.Combine(service.Directory, "store")));
        foreach (JsonNode record in records)
        {
            Assert.Equal(201, (await fresh.PostAsync($"{Backups}/import_record", record.ToJsonString())).Status);
        }

        await fresh.WaitAsync(full, "available");
        await fresh.WaitAsync(child, "available");
        Assert.True((bool)(await fresh.ShowAsync(full))["has_dependent_backups"]!);

        // Records tell times to the second; within one, the order of the chain must not be lost.
        foreach (string id in new[] { full, child })
        {
            JsonNode before = await service.ShowAsync(id);
            JsonNode after = await fresh.ShowAsync(id);
            Assert.Equal(((string?)before["data_timestamp"], (string?)before["created_at"]), ((string?)after["data_timestamp"], (string?)after["created_at"]));
        }

        Assert.Equal(content, await RestoreAsync(fresh, child));
    }

    [LongRunning]
    [Fact]
    public async Task A_snapshot_is_backed_up_as_it_was()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 300_000);
        byte[] frozen = volume.Fill(1);
        JsonNode snapshot = (await service.PostAsync($"/v3/{ServiceUnderTest.Project}/snapshots", new { snapshot = new { volume_id = volume.Id } })).Json["snapshot"]!;
        volume.Change(0, 300_000);

        string backup = await service.BackUpAsync(volume.Id, snapshotId: (string?)snapshot["id"]);
        Assert.Equal(frozen, await RestoreAsync(service, backup));
        JsonNode shown = await service.ShowAsync(backup);
        Assert.Equal((string?)snapshot["created_at"], (string?)shown["data_timestamp"]);
        Assert.Equal("available", (string?)(await service.GetAsync($"/v3/{ServiceUnderTest.Project}/snapshots/{snapshot["id"]}")).Json["snapshot"]!["status"]);
    }

    [LongRunning]
    [Fact]
    public async Task A_volume_that_cannot_be_read_leaves_an_error_with_a_reason_and_a_free_volume()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        Assert.Equal(200, (await service.GetAsync($"{Volumes}/{volume.Id}")).Status);
        File.Delete(volume.Path);

        Answer created = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } });
        string id = (string)created.Json["backup"]!["id"]!;
        await service.WaitAsync(id, "error");
        Assert.False(string.IsNullOrEmpty((string?)(await service.ShowAsync(id))["fail_reason"]));
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"]);
    }

    [LongRunning]
    [Fact]
    public async Task A_restore_that_fails_leaves_the_backup_available_and_the_volume_in_error()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1 << 20);
        volume.Fill(1);
        string backup = await service.BackUpAsync(volume.Id);
        foreach (string pack in Directory.EnumerateFiles(Path.Combine(service.Directory, "store"), "*", SearchOption.AllDirectories).Where(path => path.Contains("/packs/", StringComparison.Ordinal)))
        {
            await File.WriteAllBytesAsync(pack, Encoding.UTF8.GetBytes("damaged"), ServiceUnderTest.Cancel);
        }

        JsonNode restored = (await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { } })).Json["restore"]!;
        await service.WaitAsync(backup, "available");
        Assert.Equal("error_restoring", (string?)(await service.GetAsync($"{Volumes}/{restored["volume_id"]}")).Json["volume"]!["status"]);
        Assert.False(string.IsNullOrEmpty((string?)(await service.ShowAsync(backup))["fail_reason"]));
        Assert.Equal(202, (await service.DeleteAsync($"{Volumes}/{restored["volume_id"]}")).Status);
        Assert.Equal(404, (await service.GetAsync($"{Volumes}/{restored["volume_id"]}")).Status);
    }

    [LongRunning]
    [Fact]
    public async Task Progress_is_told_on_a_route_of_our_own()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 700_000);
        volume.Fill(1);
        string backup = await service.BackUpAsync(volume.Id);

        JsonNode progress = (await service.GetAsync($"/v1/backups/{backup}/progress")).Json["progress"]!;
        Assert.Equal((backup, "available", 700_000L, 700_000L), ((string?)progress["backup_id"], (string?)progress["status"], (long)progress["bytes_done"]!, (long)progress["bytes_total"]!));
        Assert.Equal(404, (await service.GetAsync($"/v1/backups/{backup}/progress", token: "user2:" + ServiceUnderTest.OtherProject)).Status);
    }

    [LongRunning]
    [Fact]
    public async Task A_lost_catalog_is_rebuilt_from_the_container_alone()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 500_000);
        volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id, name: "one");
        byte[] content = volume.Change(0, 1000);
        string child = await service.BackUpAsync(volume.Id, incremental: true, name: "two");
        JsonNode before = await service.ShowAsync(child);

        string directory = Directory.CreateTempSubdirectory("backup-rebuilt-").FullName;
        ServeOptions options = new()
        {
            OpenStore = _ => new(new BackupEngine.ObjectStores.DirectoryObjectStore(Path.Combine(service.Directory, "store"))),
            DataDirectory = directory,
            VolumesDirectory = Path.Combine(directory, "volumes"),
        };
        Assert.Equal(2, await BackupService.RebuildCatalogAsync(options, ServiceUnderTest.Cancel));
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => BackupService.RebuildCatalogAsync(options, ServiceUnderTest.Cancel));

        await using ServiceUnderTest rebuilt = await ServiceUnderTest.StartAsync(store: await options.OpenStore(ServiceUnderTest.Cancel), directory: directory);
        JsonNode after = await rebuilt.ShowAsync(child);
        foreach (string field in new[] { "name", "size", "volume_id", "is_incremental", "object_count", "container", "created_at", "data_timestamp", "description", "status" })
        {
            Assert.Equal(before[field]?.ToJsonString(), after[field]?.ToJsonString());
        }

        Assert.Equal("user1", (string?)(await rebuilt.GetAsync($"{Backups}/{full}", "3.64")).Json["backup"]!["user_id"]);
        Assert.Equal(404, (await rebuilt.GetAsync($"/v3/{ServiceUnderTest.OtherProject}/backups/{full}", token: "u:" + ServiceUnderTest.OtherProject)).Status);
        Assert.Equal(content, await RestoreAsync(rebuilt, child));
        await rebuilt.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    internal static JsonObject Record(string service, JsonNode record) => new()
    {
        ["backup-record"] = new JsonObject
        {
            ["backup_service"] = service,
            ["backup_url"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(record.ToJsonString())),
        },
    };

    private static async Task<byte[]> RestoreAsync(ServiceUnderTest service, string backup)
    {
        Answer answer = await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { name = "restored" } });
        Assert.True(answer.Status == 202, answer.Text);
        string volume = (string)answer.Json["restore"]!["volume_id"]!;
        await service.WaitAsync(backup, "available");
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{volume}")).Json["volume"]!["status"]);
        return await File.ReadAllBytesAsync(Path.Combine(service.VolumesDirectory, volume + ".img"), ServiceUnderTest.Cancel);
    }
}
