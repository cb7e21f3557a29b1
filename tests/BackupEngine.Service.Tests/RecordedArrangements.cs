using System.Text.Json.Nodes;
using BackupEngine.Hosting;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests;

/// <summary>What had happened on the recorded server before each exchange.</summary>
internal static class RecordedArrangements
{
    public static async Task ArrangeAsync(RecordedWorld world, ServiceUnderTest service, RecordedExchange exchange)
    {
        switch (exchange.Name)
        {
            case "create.unknown_volume":
                await world.PutVolumesAsync();
                break;
            case "create.while_backing_up":
                await world.SetVolumeStatusAsync(RecordedWorld.VolumeA, "backing-up");
                break;
            case "volume.after":
                await world.SetVolumeStatusAsync(RecordedWorld.VolumeA, "available");
                break;
            case "snapshot.backing_up":
                await SetSnapshotStatusAsync(service, "backing-up");
                return;
            case "show.snapshot_incremental":
                await SetSnapshotStatusAsync(service, "available");
                break;
            case "create.incremental2":
                await world.PutAsync(RecordedExchange.All.First(other => other.Name == "show.creating").Body!.DeepClone().AsObject());
                await world.SetBackupStatusAsync(RecordedWorld.First, "available");
                break;
            case "list.limit1":
                await world.PutBackupsAsync(RecordedExchange.All.First(other => other.Name == "list.limit_big").Body!["backups"]!.AsArray());
                break;
            case "export.ok":
                await BackUpFirstAsync(service);
                break;
            case "volumes.list":
                await PutNewestVolumeAsync(world);
                break;
            case "import.over_quota":
                await world.SetQuotaAsync("backup_gigabytes", 1);
                await world.FillAsync(volumeGigabytes: 9, backupGigabytes: 13);
                break;
            case "restore.over_quota_volumes":
                await world.SetQuotaAsync("volumes", 1);
                break;
            case "restore.over_quota_gb":
                await world.SetQuotaAsync("gigabytes", 1);
                await world.FillAsync(volumeGigabytes: 9, backupGigabytes: 13);
                break;
        }

        if (exchange.Name is "snapshot.show")
        {
            return;
        }

        if (exchange is { Method: "GET", Status: 200, Body: JsonObject body } && body.First().Key is "backup" or "volume")
        {
            await world.PutAsync(body.DeepClone().AsObject());
        }

        if (exchange.Name.StartsWith("restore.", StringComparison.Ordinal) && exchange.Status is 202 or 413)
        {
            await world.SetBackupStatusAsync(exchange.Path.Split('/')[4], "available");
        }
    }

    private static async Task SetSnapshotStatusAsync(ServiceUnderTest service, string status)
    {
        await using Catalog.CatalogContext catalog = service.Catalog.Open();
        await catalog.Snapshots.ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, status));
    }

    /// <summary>An exported record is made from what the container holds.</summary>
    private static async Task BackUpFirstAsync(ServiceUnderTest service)
    {
        string path = Path.Combine(service.VolumesDirectory, RecordedWorld.VolumeA + ".img");
        BackupRepository repository = await Microsoft.Extensions.DependencyInjection.ServiceProviderServiceExtensions
            .GetRequiredService<RepositoryHost>(service.Services).GetAsync(ServiceUnderTest.Cancel);
        await using BackupEngine.Volumes.FileVolume volume = BackupEngine.Volumes.FileVolume.OpenRead(path);
        await repository.BackupAsync(volume, new() { VolumeId = RecordedWorld.VolumeA, BackupId = Guid.Parse(RecordedWorld.First) });
    }

    private static async Task PutNewestVolumeAsync(RecordedWorld world)
    {
        JsonNode detail = RecordedExchange.All.First(other => other.Name == "volumes.detail").Body!["volumes"]![0]!;
        await world.PutAsync(new JsonObject { ["volume"] = detail.DeepClone() });
    }
}
