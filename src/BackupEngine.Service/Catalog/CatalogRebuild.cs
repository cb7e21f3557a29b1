using BackupEngine.Catalog;
using BackupEngine.Service.Backups;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>Fills an empty catalog from what the container's own records say.</summary>
internal static class CatalogRebuild
{
    /// <returns>How many backups were entered.</returns>
    public static async Task<int> RunAsync(CatalogDatabase database, BackupRepository repository, BackupServiceOptions options, CancellationToken cancellationToken)
    {
        await database.MigrateAsync(cancellationToken);
        await using CatalogContext catalog = database.Open();
        if (await catalog.Backups.AnyAsync(cancellationToken))
        {
            throw new ServiceConfigurationException("The catalog holds backups already; only an empty one is rebuilt.");
        }

        IReadOnlyList<Backup> records = await repository.ListAsync(cancellationToken: cancellationToken);
        BackupRow[] rows = [.. records.Where(record => record.Status == BackupStatus.Available).Select(record => EngineRecord.ToRow(record, options.FoundVolumesProject ?? "", options.ContainerName))];
        catalog.Backups.AddRange(rows);
        await catalog.SaveChangesAsync(cancellationToken);
        return rows.Length;
    }
}
