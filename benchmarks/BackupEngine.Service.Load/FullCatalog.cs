using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Load;

/// <summary>A catalog with many backups, of a few projects and many volumes.</summary>
internal static class FullCatalog
{
    public const string Project = "89afd400b6464bbcb12bc0a4d63e5bd3";

    private const int Batch = 5_000;
    private const int Volumes = 500;

    private static readonly DateTime _start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <returns>Some of the backups' ids, to be shown.</returns>
    public static async Task<List<string>> FillAsync(CatalogDatabase database, int count)
    {
        await database.MigrateAsync();
        string[] volumes = [.. Enumerable.Range(0, Volumes).Select(_ => Guid.NewGuid().ToString())];
        string?[] latest = new string?[Volumes];
        List<string> ids = [];
        for (int done = 0; done < count; done += Batch)
        {
            await using CatalogContext catalog = database.Open();
            catalog.ChangeTracker.AutoDetectChangesEnabled = false;
            for (int i = done; i < Math.Min(done + Batch, count); i++)
            {
                string id = Guid.NewGuid().ToString();
                int volume = i % Volumes;
                DateTime time = _start.AddSeconds(i);
                catalog.Backups.Add(new()
                {
                    Id = id,
                    ProjectId = Project,
                    UserId = "user1",
                    Name = $"backup-{i}",
                    Description = "one of many",
                    Status = i % 50 == 0 ? "error" : "available",
                    Size = 10,
                    SizeBytes = 10L << 30,
                    ObjectCount = 12,
                    AvailabilityZone = "nova",
                    Container = "backups",
                    CreatedAt = time,
                    UpdatedAt = time,
                    DataTimestamp = time,
                    VolumeId = volumes[volume],
                    ParentId = latest[volume],
                    IsCommitted = true,
                });
                latest[volume] = i / Volumes % 30 == 29 ? null : id;
                if (i % 37 == 0)
                {
                    ids.Add(id);
                }
            }

            await catalog.SaveChangesAsync();
        }

        return ids;
    }
}
