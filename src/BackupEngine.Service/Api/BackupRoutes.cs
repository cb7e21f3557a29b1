using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace BackupEngine.Service.Api;

/// <summary>The routes of backups.</summary>
internal static class BackupRoutes
{
    public static void MapBackups(this RouteGroupBuilder group)
    {
        group.MapGet("/backups", (ApiRequest request, CatalogDatabase database, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, options, isDetailed: false, cancel));
        group.MapGet("/backups/detail", (ApiRequest request, CatalogDatabase database, BackupServiceOptions options, CancellationToken cancel) =>
            ListAsync(request, database, options, isDetailed: true, cancel));
        group.MapGet("/backups/{id}", ShowAsync);
        group.MapPost("/backups", CreateAsync);
        group.MapPut("/backups/{id}", UpdateAsync);
        group.MapDelete("/backups/{id}", DeleteAsync);
        group.MapPost("/backups/{id}/restore", RestoreAsync);
        group.MapGet("/backups/{id}/export_record", ExportAsync);
        group.MapPost("/backups/import_record", ImportAsync);
        group.MapPost("/backups/{id}/action", BackupActions.ActAsync);
    }

    private static async Task ListAsync(ApiRequest request, CatalogDatabase database, BackupServiceOptions options, bool isDetailed, CancellationToken cancel)
    {
        ListQuery query = ListQuery.Read(request, options.MaxListItems);
        await using CatalogContext catalog = database.Open();
        BackupList list = await BackupList.ReadAsync(catalog, request, query, cancel);
        string? next = query.Next(request.Self(isDetailed ? "backups/detail" : "backups"), list.Rows.Count, list.Rows.Count == 0 ? null : list.Rows[^1].Row.Id);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("backups");
            foreach (BackupItem item in list.Rows)
            {
                if (isDetailed)
                {
                    BackupView.WriteDetail(writer, request, item);
                }
                else
                {
                    BackupView.WriteSummary(writer, request, item.Row);
                }
            }

            writer.WriteEndArray();
            writer.WriteNext("backups_links", next);
            if (list.Count is { } count)
            {
                writer.WriteNumber("count", count);
            }

            writer.WriteEndObject();
        });
    }

    private static async Task ShowAsync(ApiRequest request, string id, CatalogDatabase database, CancellationToken cancel)
    {
        await using CatalogContext catalog = database.Open();
        BackupItem item = await BackupItem.FindAsync(catalog, request, id, cancel);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WritePropertyName("backup");
            BackupView.WriteDetail(writer, request, item);
            writer.WriteEndObject();
        });
    }

    private static async Task CreateAsync(ApiRequest request, BackupCreation creation, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        BackupRow backup = await creation.CreateAsync(request, BackupBody.CheckCreate(body, request.Version), cancel);
        await WriteSummaryAsync(request, 202, backup);
    }

    private static async Task UpdateAsync(ApiRequest request, string id, BackupUpdate update, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        if (request.IsV2)
        {
            throw BackupActions.NoSuchAction("update");
        }

        if (request.Version < ApiVersion.Update)
        {
            throw ApiFault.NotInVersion(request.Version);
        }

        BackupRow backup = await update.UpdateAsync(request, id, BackupBody.CheckUpdate(body, request.Version), cancel);
        await WriteSummaryAsync(request, 200, backup);
    }

    private static async Task DeleteAsync(ApiRequest request, string id, BackupRemoval removal, CancellationToken cancel)
    {
        await removal.DeleteAsync(request, id, force: false, cancel);
        await ApiJson.WriteEmptyAsync(request.Http, 202);
    }

    private static async Task RestoreAsync(ApiRequest request, string id, BackupRestoration restoration, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        VolumeRow volume = await restoration.RestoreAsync(request, id, BackupBody.CheckRestore(body), cancel);
        await ApiJson.WriteAsync(request.Http, 202, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("restore");
            writer.WriteString("backup_id", id);
            writer.WriteString("volume_id", volume.Id);
            writer.WriteString("volume_name", volume.Name);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static async Task ExportAsync(ApiRequest request, string id, RecordExport export, CancellationToken cancel)
    {
        request.RequireAdmin("backup:export-import");
        string record = await export.ExportAsync(request, id, cancel);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("backup-record");
            writer.WriteString("backup_service", ExportedRecord.ServiceName);
            writer.WriteString("backup_url", record);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static async Task ImportAsync(ApiRequest request, RecordImport import, BackupServiceOptions options, CancellationToken cancel)
    {
        request.RequireAdmin("backup:backup-import");
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        await WriteSummaryAsync(request, 201, await import.ImportAsync(request, BackupBody.CheckImport(body), cancel));
    }

    private static Task WriteSummaryAsync(ApiRequest request, int status, BackupRow backup) => ApiJson.WriteAsync(request.Http, status, writer =>
    {
        writer.WriteStartObject();
        writer.WritePropertyName("backup");
        BackupView.WriteSummary(writer, request, backup);
        writer.WriteEndObject();
    });
}
