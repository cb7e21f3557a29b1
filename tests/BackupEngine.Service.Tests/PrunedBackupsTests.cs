using System.Text.Json.Nodes;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Jobs;
using BackupEngine.TestKit.Requirements;
using Microsoft.Extensions.DependencyInjection;

namespace BackupEngine.Service.Tests;

/// <summary>Backups that somebody removed from the container behind the catalog's back.</summary>
public sealed class PrunedBackupsTests
{
    private const string Project = ServiceUnderTest.Project;
    private const string Backups = $"/v3/{Project}/backups";

    [LongRunning]
    [Fact]
    public async Task The_check_finds_them_and_they_can_be_deleted_while_the_others_live_on()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        (string full, string middle, string last, byte[] content) = await PrunedChainAsync(service);
        await service.Services.GetRequiredService<ContainerCheck>().CheckAsync(ServiceUnderTest.Cancel);
        foreach (string gone in new[] { full, middle })
        {
            JsonNode shown = await service.ShowAsync(gone);
            Assert.Equal(("error", ContainerCheck.Gone), ((string?)shown["status"], (string?)shown["fail_reason"]));
            Assert.Equal(202, (await service.DeleteAsync($"{Backups}/{gone}")).Status);
            await service.WaitGoneAsync(gone);
        }

        string volume = (string)(await service.PostAsync($"{Backups}/{last}/restore", new { restore = new { } })).Json["restore"]!["volume_id"]!;
        await service.WaitAsync(last, "available");
        Assert.Equal(content, await File.ReadAllBytesAsync(Path.Combine(service.VolumesDirectory, volume + ".img"), ServiceUnderTest.Cancel));
    }

    [LongRunning]
    [Fact]
    public async Task Whoever_asks_for_one_first_finds_it_too()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        (string full, string middle, _, _) = await PrunedChainAsync(service);
        Answer restore = await service.PostAsync($"{Backups}/{full}/restore", new { restore = new { } });
        await service.WaitAsync(full, "error");
        Assert.Equal(ContainerCheck.Gone, (string?)(await service.ShowAsync(full))["fail_reason"]);
        Assert.Equal("error_restoring", (string?)(await service.GetAsync($"/v3/{Project}/volumes/{restore.Json["restore"]!["volume_id"]}")).Json["volume"]!["status"]);

        Assert.Equal("Invalid backup: The container holds no such backup.", (await service.GetAsync($"{Backups}/{middle}/export_record")).Message);
        Assert.Equal(("error", ContainerCheck.Gone), ((string?)(await service.ShowAsync(middle))["status"], (string?)(await service.ShowAsync(middle))["fail_reason"]));
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_whose_parent_is_gone_fails_once_and_the_next_takes_another_parent()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 100_000);
        volume.Fill(1);
        await service.BackUpAsync(volume.Id);
        volume.Change(0, 10);
        string latest = await service.BackUpAsync(volume.Id, incremental: true);
        await using (BackupRepository repository = await OpenAsync(service))
        {
            await repository.DeleteAsync(Guid.Parse(latest), ServiceUnderTest.Cancel);
        }

        string failed = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, incremental = true } })).Json["backup"]!["id"]!;
        await service.WaitAsync(failed, "error");
        Assert.Equal(ContainerCheck.Gone, (string?)(await service.ShowAsync(latest))["fail_reason"]);
        await service.BackUpAsync(volume.Id, incremental: true);
    }

    [LongRunning]
    [Fact]
    public async Task Backups_are_available_again_when_the_container_is_back()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 100_000);
        volume.Fill(1);
        string backup = await service.BackUpAsync(volume.Id);
        string record = Directory.EnumerateFiles(Path.Combine(service.Directory, "store"), backup + "*", SearchOption.AllDirectories).Single(path => path.EndsWith(".json", StringComparison.Ordinal));
        File.Move(record, Path.Combine(service.Directory, "elsewhere"));
        ContainerCheck check = service.Services.GetRequiredService<ContainerCheck>();
        await check.CheckAsync(ServiceUnderTest.Cancel);
        Assert.Equal("error", (string?)(await service.ShowAsync(backup))["status"]);
        File.Move(Path.Combine(service.Directory, "elsewhere"), record);
        await check.CheckAsync(ServiceUnderTest.Cancel);
        JsonNode shown = await service.ShowAsync(backup);
        Assert.Equal(("available", null), ((string?)shown["status"], (string?)shown["fail_reason"]));
    }

    [LongRunning]
    [Fact]
    public async Task Nothing_that_is_shown_or_exported_tells_where_the_container_is()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { ContainerName = "vault" });
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = await service.BackUpAsync(volume.Id);
        Answer shown = await service.GetAsync($"{Backups}/{id}");
        Assert.Equal("vault", (string?)shown.Json["backup"]!["container"]);
        string url = (string)(await service.GetAsync($"{Backups}/{id}/export_record")).Json["backup-record"]!["backup_url"]!;
        JsonNode record = JsonNode.Parse(Convert.FromBase64String(url))!;
        string inner = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)record["service_metadata"]!));
        foreach (string text in new[] { shown.Text, record.ToJsonString(), inner })
        {
            Assert.DoesNotContain(service.Directory, text, StringComparison.Ordinal);
        }
    }

    private static async Task<(string Full, string Middle, string Last, byte[] Content)> PrunedChainAsync(ServiceUnderTest service)
    {
        TestVolume volume = TestVolume.Create(service, 300_000);
        volume.Fill(1);
        string full = await service.BackUpAsync(volume.Id);
        volume.Change(0, 1000);
        string middle = await service.BackUpAsync(volume.Id, incremental: true);
        byte[] content = volume.Change(200_000, 1000);
        string last = await service.BackUpAsync(volume.Id, incremental: true);
        await using BackupRepository repository = await OpenAsync(service);
        Assert.Equal(2, (await repository.PruneAsync(new() { KeepLast = 1 }, ServiceUnderTest.Cancel)).BackupsRemoved.Count);
        return (full, middle, last, content);
    }

    private static Task<BackupRepository> OpenAsync(ServiceUnderTest service) =>
        BackupRepository.OpenAsync(new DirectoryObjectStore(Path.Combine(service.Directory, "store")), cancellationToken: ServiceUnderTest.Cancel);
}
