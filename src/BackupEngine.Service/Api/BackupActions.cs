using System.Text.Json;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Api;

/// <summary>What administrators may do to a backup that does not rest.</summary>
internal static class BackupActions
{
    private static readonly ObjectSchema _resetStatus = new(new Dictionary<string, Schema> { ["status"] = new TextSchema { AllowNull = false } }, "status");
    private static readonly ObjectSchema _forceDelete = new(new Dictionary<string, Schema>()) { AllowNull = true };

    public static async Task ActAsync(ApiRequest request, string id, BackupRemoval removal, BackupServiceOptions options, CancellationToken cancel)
    {
        using JsonDocument? body = await ApiJson.ReadAsync(request.Http, options.MaxBodyBytes);
        (string? name, JsonElement value) = ActionOf(body);
        switch (name)
        {
            case "os-reset_status":
                request.RequireAdmin("volume_extension:backup_admin_actions:reset_status");
                _resetStatus.Check(value, name);
                string status = value.GetProperty("status").GetString()!;
                if (status.ToLowerInvariant() is not (BackupStates.Available or BackupStates.Error))
                {
                    throw ApiFault.BadRequest($"Backup status: {status} is invalid, valid statuses are: ['available', 'error'].");
                }

                await removal.ResetAsync(request, id, status.ToLowerInvariant(), cancel);
                break;
            case "os-force_delete":
                request.RequireAdmin("volume_extension:backup_admin_actions:force_delete");
                _forceDelete.Check(value, name);
                await removal.DeleteAsync(request, id, force: true, cancel);
                break;
            default:
                throw NoSuchAction(name ?? "None");
        }

        await ApiJson.WriteEmptyAsync(request.Http, 202);
    }

    public static ApiFault NoSuchAction(string name) =>
        ApiFault.BadRequest($"There is no such action: {name}. Verify the request body and Content-Type header and try again.");

    /// <summary>The one thing that a body asks for.</summary>
    public static (string? Name, JsonElement Value) ActionOf(JsonDocument? body) =>
        body?.RootElement.ValueKind == JsonValueKind.Object && body.RootElement.EnumerateObject().Take(2).ToList() is [var only] ? (only.Name, only.Value) : (null, default);
}
