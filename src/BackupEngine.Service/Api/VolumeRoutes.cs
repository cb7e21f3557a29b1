using System.Text.Json;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Api;

/// <summary>As much of volumes as clients of backups need.</summary>
internal static class VolumeRoutes
{
    public static void MapVolumes(this RouteGroupBuilder group)
    {
        group.MapGet("/volumes", (ApiRequest request, CatalogDatabase database, VolumeStore volumes, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, volumes, options, isDetailed: false, cancel));
        group.MapGet("/volumes/detail", (ApiRequest request, CatalogDatabase database, VolumeStore volumes, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, volumes, options, isDetailed: true, cancel));
        group.MapGet("/volumes/{id}", ShowAsync);
        group.MapPost("/volumes", CreateAsync);
        group.MapDelete("/volumes/{id}", DeleteAsync);
        group.MapPost("/volumes/{id}/action", ActAsync);
    }

    private static async Task ListAsync(
        ApiRequest request, CatalogDatabase database, VolumeStore volumes, BackupServiceOptions options, bool isDetailed, CancellationToken cancel)
    {
        ListQuery query = ListQuery.Read(request, options.MaxListItems);
        await using CatalogContext catalog = database.Open();
        await volumes.DiscoverAsync(catalog, cancel);
        IReadOnlyList<VolumeRow> rows = await VolumeList.ReadAsync(catalog, request, query, cancel);
        string? next = query.Next(request.Self(isDetailed ? "volumes/detail" : "volumes"), rows.Count, rows.Count == 0 ? null : rows[^1].Id);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("volumes");
            foreach (VolumeRow row in rows)
            {
                if (isDetailed)
                {
                    VolumeView.WriteDetail(writer, request, row);
                }
                else
                {
                    VolumeView.WriteSummary(writer, request, row);
                }
            }

            writer.WriteEndArray();
            writer.WriteNext("volumes_links", next);
            writer.WriteEndObject();
        });
    }

    private static async Task ShowAsync(ApiRequest request, string id, CatalogDatabase database, VolumeStore volumes, CancellationToken cancel)
    {
        await using CatalogContext catalog = database.Open();
        VolumeRow row = await volumes.FindAsync(catalog, request, id, cancel);
        await WriteAsync(request, 200, row, VolumeView.WriteDetail);
    }

    private static async Task CreateAsync(ApiRequest request, VolumeChanges changes, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        await WriteAsync(request, 202, await changes.CreateAsync(request, body, cancel), VolumeView.WriteCreated);
    }

    private static async Task DeleteAsync(ApiRequest request, string id, VolumeChanges changes, CancellationToken cancel)
    {
        await changes.DeleteAsync(request, id, cancel);
        await ApiJson.WriteEmptyAsync(request.Http, 202);
    }

    private static async Task ActAsync(ApiRequest request, string id, VolumeChanges changes, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        (string? name, JsonElement value) = BackupActions.ActionOf(body);
        await changes.ActAsync(request, id, name, value, cancel);
        await ApiJson.WriteEmptyAsync(request.Http, 202);
    }

    private static Task WriteAsync(ApiRequest request, int status, VolumeRow row, Action<Utf8JsonWriter, ApiRequest, VolumeRow> write) => ApiJson.WriteAsync(request.Http, status, writer =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("volume");
        write(writer, request, row);
        writer.WriteEndObject();
    });
}
