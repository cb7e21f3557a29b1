using System.Globalization;
using System.Text.Json.Nodes;
using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests;

/// <summary>
/// Brings a catalog to what the recorded server had before a request: the recordings are pieces of a longer session, with jobs that ran between them.
/// </summary>
internal sealed class RecordedWorld(CatalogDatabase database, string volumesDirectory)
{
    public const string VolumeA = "0fd9cab5-e29b-4997-839c-aa7fc39c964f";
    public const string VolumeB = "390b355e-3006-4983-9f75-2719d7fd29c1";
    public const string VolumeC = "60786458-12f5-433e-a69f-6dc89e08ec06";
    public const string AttachedVolume = "03812d6f-ae0b-4605-886d-cc34818ca69a";
    public const string ErrorVolume = "d5b1d1b6-db0e-49dd-bca1-1334ed273a67";
    public const string First = "8918b35a-58c8-4965-8f1b-f5f87bfdad56";

    private static readonly DateTime _start = new(2026, 11, 23, 21, 27, 0, DateTimeKind.Utc);

    /// <summary>Ends all jobs the way they ended on the recorded server.</summary>
    public async Task SettleAsync()
    {
        await using CatalogContext catalog = database.Open();
        await catalog.Volumes.Where(row => row.BusyJobId != null).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, row => row.PreviousStatus ?? "available").SetProperty(row => row.BusyJobId, (string?)null).SetProperty(row => row.PreviousStatus, (string?)null));
        await catalog.Snapshots.Where(row => row.BusyJobId != null).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, "available").SetProperty(row => row.BusyJobId, (string?)null).SetProperty(row => row.PreviousStatus, (string?)null));
        await catalog.Backups.Where(row => row.Status == "deleting").ExecuteUpdateAsync(set => set.SetProperty(row => row.DeletedAt, _start));
        await catalog.Backups.Where(row => row.JobId != null).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.Status, "available").SetProperty(row => row.JobId, (string?)null).SetProperty(row => row.IsCommitted, true));
    }

    public async Task PutVolumesAsync()
    {
        foreach ((string id, string name, long size, string status) in new[]
        {
            (VolumeA, "volA", 1L, "available"), (VolumeB, "volB", 1L, "available"), (VolumeC, "volC", 2L, "available"),
            (AttachedVolume, "volD", 1L, "available"), (ErrorVolume, "volE", 1L, "error"),
        })
        {
            await PutAsync(new VolumeRow
            {
                Id = id,
                ProjectId = ServiceUnderTest.Project,
                UserId = "user1",
                Provider = "directory",
                Name = name,
                Size = size,
                SizeBytes = size << 30,
                Status = status,
                AvailabilityZone = "nova",
                CreatedAt = _start,
            });
            await using FileStream file = File.Create(Path.Combine(volumesDirectory, id + ".img"));
            file.SetLength(size << 30);
        }
    }

    public async Task SetBackupStatusAsync(string id, string status)
    {
        await using CatalogContext catalog = database.Open();
        await catalog.Backups.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, status));
    }

    public async Task SetVolumeStatusAsync(string id, string status)
    {
        await using CatalogContext catalog = database.Open();
        await catalog.Volumes.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Status, status));
    }

    /// <summary>The nine backups that the recorded lists show, newest first, the full ones and the chain among them.</summary>
    public async Task PutBackupsAsync(JsonArray summaries)
    {
        await using (CatalogContext catalog = database.Open())
        {
            await catalog.Backups.IgnoreQueryFilters().ExecuteDeleteAsync();
        }

        DateTime time = _start.AddSeconds(summaries.Count);
        foreach (JsonNode? summary in summaries)
        {
            time = time.AddSeconds(-1);
            string name = (string?)summary!["name"] ?? "";
            await PutAsync(new BackupRow
            {
                Id = (string)summary["id"]!,
                ProjectId = ServiceUnderTest.Project,
                UserId = "user1",
                Name = (string?)summary["name"],
                Status = "available",
                Size = 1,
                SizeBytes = 1 << 30,
                CreatedAt = time,
                UpdatedAt = time,
                DataTimestamp = time,
                VolumeId = VolumeA,
                IsCommitted = true,
                ParentId = name.Contains("inc", StringComparison.Ordinal) ? First : null,
            });
        }
    }

    /// <summary>What a recorded answer shows, as a row.</summary>
    public Task PutAsync(JsonObject body) => body.First() switch
    {
        { Key: "backup", Value: JsonObject backup } => PutAsync(new BackupRow
        {
            Id = (string)backup["id"]!,
            ProjectId = ServiceUnderTest.Project,
            UserId = "user1",
            Name = (string?)backup["name"],
            Description = (string?)backup["description"],
            Status = (string)backup["status"]!,
            FailReason = (string?)backup["fail_reason"],
            Size = (long)backup["size"]!,
            SizeBytes = (long)backup["size"]! << 30,
            ObjectCount = (int)backup["object_count"]!,
            AvailabilityZone = (string?)backup["availability_zone"],
            Container = (string?)backup["container"],
            CreatedAt = TimeOf(backup["created_at"])!.Value,
            UpdatedAt = TimeOf(backup["updated_at"]),
            DataTimestamp = TimeOf(backup["data_timestamp"]),
            VolumeId = (string)backup["volume_id"]!,
            SnapshotId = (string?)backup["snapshot_id"],
            ParentId = (bool)backup["is_incremental"]! ? First : null,
            Metadata = backup["metadata"]?.ToJsonString() ?? "{}",
            IsCommitted = true,
        }),
        { Key: "volume", Value: JsonObject volume } => PutAsync(new VolumeRow
        {
            Id = (string)volume["id"]!,
            ProjectId = ServiceUnderTest.Project,
            UserId = "user1",
            Provider = "directory",
            Name = (string?)volume["name"],
            Description = (string?)volume["description"],
            Status = (string)volume["status"]!,
            Size = (long)volume["size"]!,
            SizeBytes = (long)volume["size"]! << 30,
            AvailabilityZone = (string?)volume["availability_zone"],
            CreatedAt = TimeOf(volume["created_at"])!.Value,
            UpdatedAt = TimeOf(volume["updated_at"]),
            Metadata = volume["metadata"]!.ToJsonString(),
        }),
        _ => Task.CompletedTask,
    };

    public async Task PutAsync<TRow>(TRow row)
        where TRow : class
    {
        await using CatalogContext catalog = database.Open();
        if (row is BackupRow backup)
        {
            await catalog.Backups.IgnoreQueryFilters().Where(other => other.Id == backup.Id).ExecuteDeleteAsync();
        }
        else if (row is VolumeRow volume)
        {
            await catalog.Volumes.Where(other => other.Id == volume.Id).ExecuteDeleteAsync();
        }

        catalog.Add(row);
        await catalog.SaveChangesAsync();
    }

    /// <summary>Gives what was made just now the id that the recorded server gave it, for the requests that follow.</summary>
    public async Task RenameAsync(string from, string to)
    {
        await using CatalogContext catalog = database.Open();
        await catalog.Backups.IgnoreQueryFilters().Where(row => row.Id == to).ExecuteDeleteAsync();
        await catalog.Volumes.Where(row => row.Id == to).ExecuteDeleteAsync();
        await catalog.Database.ExecuteSqlAsync($"UPDATE backups SET id = {to} WHERE id = {from}");
        await catalog.Database.ExecuteSqlAsync($"UPDATE volumes SET id = {to} WHERE id = {from}");
        await catalog.Database.ExecuteSqlAsync($"UPDATE snapshots SET id = {to} WHERE id = {from}");
    }

    public async Task SetQuotaAsync(string resource, long limit)
    {
        await using CatalogContext catalog = database.Open();
        await catalog.Quotas.ExecuteDeleteAsync();
        catalog.Quotas.Add(new() { ProjectId = ServiceUnderTest.Project, Resource = resource, Limit = limit });
        await catalog.SaveChangesAsync();
    }

    /// <summary>Makes the project hold so many GiB of volumes, or of backups.</summary>
    public async Task FillAsync(long volumeGigabytes, long backupGigabytes)
    {
        await using CatalogContext catalog = database.Open();
        long volumes = await catalog.Volumes.Where(row => row.Id != VolumeC).SumAsync(row => row.Size);
        await catalog.Volumes.Where(row => row.Id == VolumeC).ExecuteUpdateAsync(set => set.SetProperty(row => row.Size, volumeGigabytes - volumes));
        string other = await catalog.Backups.Where(row => row.Id != First).Select(row => row.Id).FirstAsync();
        long backups = await catalog.Backups.Where(row => row.Id != other).SumAsync(row => row.Size);
        await catalog.Backups.Where(row => row.Id == other).ExecuteUpdateAsync(set => set.SetProperty(row => row.Size, backupGigabytes - backups));
    }

    private static DateTime? TimeOf(JsonNode? node) =>
        node is null ? null : DateTime.Parse((string)node!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
}
