using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace BackupEngine.Service.Api;

/// <summary>How far a backup's job is: our own route, because the schemas of OpenStack's bodies allow no more fields.</summary>
internal static class ProgressRoutes
{
    public static void MapProgress(this IEndpointRouteBuilder routes) => routes.MapGet("/v1/backups/{id}/progress", ShowAsync);

    private static async Task ShowAsync(ApiRequest request, string id, CatalogDatabase database, CancellationToken cancel)
    {
        await using CatalogContext catalog = database.Open();
        BackupRow row = (await BackupItem.FindAsync(catalog, request, id, cancel)).Row;
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("progress");
            writer.WriteString("backup_id", row.Id);
            writer.WriteString("status", row.Status);
            writer.WriteString("operation", row.JobKind);
            writer.WriteBoolean("running", row.RunningJobId is not null);
            writer.WriteNumber("bytes_done", row.ProgressDone);
            writer.WriteNumber("bytes_total", row.ProgressTotal);
            writer.WriteNumber("bytes_read", row.ProgressRead);
            writer.WriteNumber("bytes_changed", row.ProgressChanged);
            writer.WriteNumber("bytes_stored", row.ProgressStored);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }
}
