using System.Text.Json;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Api;

/// <summary>As much of snapshots as clients of backups need.</summary>
internal static class SnapshotRoutes
{
    public static void MapSnapshots(this RouteGroupBuilder group)
    {
        group.MapGet("/snapshots", (ApiRequest request, CatalogDatabase database, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, options, isDetailed: false, cancel));
        group.MapGet("/snapshots/detail", (ApiRequest request, CatalogDatabase database, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, options, isDetailed: true, cancel));
        group.MapGet("/snapshots/{id}", ShowAsync);
        group.MapPost("/snapshots", CreateAsync);
        group.MapDelete("/snapshots/{id}", DeleteAsync);
    }

    private static async Task ListAsync(ApiRequest request, CatalogDatabase database, BackupServiceOptions options, bool isDetailed, CancellationToken cancel)
    {
        ListQuery query = ListQuery.Read(request, options.MaxListItems);
        await using CatalogContext catalog = database.Open();
        string project = request.Caller.ProjectId;
        bool all = query.AllTenants;
        IQueryable<SnapshotRow> rows = catalog.Snapshots.AsNoTracking().Where(row => all || row.ProjectId == project);
        foreach ((string name, string value) in query.Filters)
        {
            rows = name switch
            {
                "name" => rows.Where(row => row.Name == value),
                "status" => rows.Where(row => row.Status == value),
                "volume_id" => rows.Where(row => row.VolumeId == value),
                _ => rows.Where(row => false),
            };
        }

        List<SnapshotRow> found = await rows.OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id).ToListAsync(cancel);
        IEnumerable<SnapshotRow> page = found;
        if (query.Marker is { } marker)
        {
            int index = found.FindIndex(row => row.Id == marker);
            page = index < 0 ? throw ApiFault.NotFound("Snapshot", marker) : found.Skip(index + 1);
        }

        List<SnapshotRow> shown = [.. page.Skip(query.Offset).Take(query.Limit)];
        string? next = query.Next(request.Self(isDetailed ? "snapshots/detail" : "snapshots"), shown.Count, shown.LastOrDefault()?.Id);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("snapshots");
            foreach (SnapshotRow row in shown)
            {
                Write(writer, row, isDetailed);
            }

            writer.WriteEndArray();
            writer.WriteNext("snapshots_links", next);
            writer.WriteEndObject();
        });
    }

    private static async Task ShowAsync(ApiRequest request, string id, SnapshotChanges changes, CancellationToken cancel) =>
        await WriteAsync(request, 200, await changes.FindAsync(request, id, cancel), isDetailed: true);

    private static async Task CreateAsync(ApiRequest request, SnapshotChanges changes, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        await WriteAsync(request, 202, await changes.CreateAsync(request, body, cancel), isDetailed: false);
    }

    private static async Task DeleteAsync(ApiRequest request, string id, SnapshotChanges changes, CancellationToken cancel)
    {
        await changes.DeleteAsync(request, id, cancel);
        await ApiJson.WriteEmptyAsync(request.Http, 202);
    }

    private static Task WriteAsync(ApiRequest request, int status, SnapshotRow row, bool isDetailed) => ApiJson.WriteAsync(request.Http, status, writer =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("snapshot");
        Write(writer, row, isDetailed);
        writer.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter writer, SnapshotRow row, bool isDetailed)
    {
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteTime("created_at", row.CreatedAt);
        writer.WriteTime("updated_at", row.UpdatedAt);
        writer.WriteString("name", row.Name);
        writer.WriteString("description", row.Description);
        writer.WriteString("volume_id", row.VolumeId);
        writer.WriteString("status", row.Status);
        writer.WriteNumber("size", row.Size);
        writer.WriteMetadata(row.Metadata);
        if (isDetailed)
        {
            writer.WriteString("os-extended-snapshot-attributes:project_id", row.ProjectId);
            writer.WriteString("os-extended-snapshot-attributes:progress", row.Status == VolumeStates.Creating ? "0%" : "100%");
        }

        writer.WriteEndObject();
    }
}
