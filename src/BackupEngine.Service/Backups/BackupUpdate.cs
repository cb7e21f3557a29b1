using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>Changes what people call a backup.</summary>
internal sealed class BackupUpdate(CatalogDatabase database, TimeProvider time)
{
    public async Task<BackupRow> UpdateAsync(ApiRequest request, string id, JsonElement body, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        await BackupItem.FindAsync(catalog, request, id, cancellationToken);
        DateTime now = time.Now();
        if (body.EnumerateObject().Any())
        {
            await catalog.Backups.Where(row => row.Id == id).ExecuteUpdateAsync(
                set =>
                {
                    set.SetProperty(row => row.UpdatedAt, now);
                    if (body.TryGetProperty("name", out _))
                    {
                        set.SetProperty(row => row.Name, BackupBody.TextOf(body, "name"));
                    }

                    if (body.TryGetProperty("description", out _))
                    {
                        set.SetProperty(row => row.Description, BackupBody.TextOf(body, "description"));
                    }

                    if (body.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind == JsonValueKind.Object)
                    {
                        set.SetProperty(row => row.Metadata, BackupBody.MetadataOf(body));
                    }
                },
                cancellationToken);
        }

        return (await BackupItem.FindAsync(catalog, request, id, cancellationToken)).Row;
    }
}
