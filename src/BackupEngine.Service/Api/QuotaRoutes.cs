using System.Text.Json;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Api;

/// <summary>What projects may have and do have.</summary>
internal static class QuotaRoutes
{
    // The cinder client names the project in the body, too.
    private const string ProjectField = "tenant_id";

    private static readonly IntegerSchema _limit = new(-1);

    public static void MapQuotas(this RouteGroupBuilder group)
    {
        group.MapGet("/limits", ShowLimitsAsync);
        group.MapGet("/os-quota-sets/{target}", ShowAsync);
        group.MapGet("/os-quota-sets/{target}/defaults", ShowDefaultsAsync);
        group.MapPut("/os-quota-sets/{target}", SetAsync);
        group.MapDelete("/os-quota-sets/{target}", ResetAsync);
    }

    private static async Task ShowLimitsAsync(ApiRequest request, CatalogDatabase database, Quotas quotas, CancellationToken cancel)
    {
        await using CatalogContext catalog = database.Open();
        Dictionary<string, long> limits = await quotas.LimitsAsync(catalog, request.Caller.ProjectId, cancel);
        Dictionary<string, long> used = await Quotas.UsageAsync(catalog, request.Caller.ProjectId, cancel);
        await ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("limits");
            writer.WriteStartArray("rate");
            writer.WriteEndArray();
            writer.WriteStartObject("absolute");
            writer.WriteNumber("maxTotalVolumes", limits[Quotas.Volumes]);
            writer.WriteNumber("maxTotalSnapshots", limits[Quotas.Snapshots]);
            writer.WriteNumber("maxTotalVolumeGigabytes", limits[Quotas.Gigabytes]);
            writer.WriteNumber("maxTotalBackups", limits[Quotas.Backups]);
            writer.WriteNumber("maxTotalBackupGigabytes", limits[Quotas.BackupGigabytes]);
            writer.WriteNumber("totalVolumesUsed", used[Quotas.Volumes]);
            writer.WriteNumber("totalGigabytesUsed", used[Quotas.Gigabytes]);
            writer.WriteNumber("totalSnapshotsUsed", used[Quotas.Snapshots]);
            writer.WriteNumber("totalBackupsUsed", used[Quotas.Backups]);
            writer.WriteNumber("totalBackupGigabytesUsed", used[Quotas.BackupGigabytes]);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    private static async Task ShowAsync(ApiRequest request, string target, CatalogDatabase database, Quotas quotas, CancellationToken cancel)
    {
        RequireAccess(request, target);
        await using CatalogContext catalog = database.Open();
        Dictionary<string, long> limits = await quotas.LimitsAsync(catalog, target, cancel);
        Dictionary<string, long>? used = request.Http.Request.Query["usage"].ToString().Equals("true", StringComparison.OrdinalIgnoreCase)
            ? await Quotas.UsageAsync(catalog, target, cancel)
            : null;
        await WriteAsync(request, limits, target, used);
    }

    private static Task ShowDefaultsAsync(ApiRequest request, string target, Quotas quotas)
    {
        RequireAccess(request, target);
        return WriteAsync(request, quotas.Defaults, target, used: null);
    }

    private static async Task SetAsync(ApiRequest request, string target, CatalogDatabase database, Quotas quotas, BackupServiceOptions options, CancellationToken cancel)
    {
        request.RequireAdmin("volume_extension:quotas:update");
        RequireAccess(request, target);
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        if (body is null)
        {
            throw ApiFault.MalformedBody();
        }

        Dictionary<string, Schema> fields = quotas.Defaults.Keys.ToDictionary(name => name, Schema (_) => _limit);
        fields.Add(ProjectField, new TextSchema { AllowNull = false });
        new ObjectSchema(new Dictionary<string, Schema> { ["quota_set"] = new ObjectSchema(fields) }, "quota_set").Check(body.RootElement);

        await using CatalogContext catalog = database.Open();
        await using (var transaction = await catalog.Database.BeginTransactionAsync(cancel))
        {
            await catalog.LockProjectAsync(target, cancel);
            foreach (JsonProperty property in body.RootElement.GetProperty("quota_set").EnumerateObject().Where(property => property.Name != ProjectField))
            {
                long limit = IntegerSchema.Read(property.Value);
                string resource = property.Name;
                await catalog.Quotas.Where(row => row.ProjectId == target && row.Resource == resource).ExecuteDeleteAsync(cancel);
                catalog.Quotas.Add(new() { ProjectId = target, Resource = resource, Limit = limit });
            }

            await catalog.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }

        await WriteAsync(request, await quotas.LimitsAsync(catalog, target, cancel), target: null, used: null);
    }

    private static async Task ResetAsync(ApiRequest request, string target, CatalogDatabase database, CancellationToken cancel)
    {
        request.RequireAdmin("volume_extension:quotas:delete");
        RequireAccess(request, target);
        await using CatalogContext catalog = database.Open();
        await catalog.Quotas.Where(row => row.ProjectId == target).ExecuteDeleteAsync(cancel);
        await ApiJson.WriteEmptyAsync(request.Http, 200);
    }

    private static void RequireAccess(ApiRequest request, string target)
    {
        if (target != request.Caller.ProjectId && !request.Caller.IsAdmin)
        {
            throw ApiFault.Forbidden("volume_extension:quotas:show");
        }
    }

    private static Task WriteAsync(ApiRequest request, IReadOnlyDictionary<string, long> limits, string? target, Dictionary<string, long>? used) =>
        ApiJson.WriteAsync(request.Http, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartObject("quota_set");
            foreach ((string resource, long limit) in limits)
            {
                if (used is null)
                {
                    writer.WriteNumber(resource, limit);
                    continue;
                }

                writer.WriteStartObject(resource);
                writer.WriteNumber("limit", limit);
                writer.WriteNumber("in_use", used.GetValueOrDefault(resource));
                writer.WriteNumber("reserved", 0);
                writer.WriteEndObject();
            }

            if (target is not null)
            {
                writer.WriteString("id", target);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        });
}
