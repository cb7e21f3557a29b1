using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using BackupEngine.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Volumes;

/// <summary>Makes and removes volumes, and takes note of what others do with them.</summary>
internal sealed class VolumeChanges(CatalogDatabase database, VolumeStore volumes, BackupRestoration restoration, Quotas quotas, BackupServiceOptions options, TimeProvider time)
{
    // Past it, counts of bytes overflow.
    private const long MaxSize = 1 << 20;

    private static readonly TextSchema _text = new();
    private static readonly IntegerSchema _size = new(1);
    private static readonly MetadataSchema _metadata = new();
    private static readonly UuidSchema _backupId = new() { AllowNull = true };
    private static readonly string[] _settableStates = [VolumeStates.Available, VolumeStates.InUse, VolumeStates.Error, VolumeStates.ErrorRestoring];

    public async Task<VolumeRow> CreateAsync(ApiRequest request, JsonDocument? body, CancellationToken cancellationToken)
    {
        JsonElement volume = Check(body, request.Version);
        IVolumeProvider provider = volumes.Creator ?? throw ApiFault.InvalidInput("No volumes can be made here.");
        long size = volume.TryGetProperty("size", out JsonElement wanted) && wanted.ValueKind != JsonValueKind.Null ? IntegerSchema.Read(wanted) : 0;
        DateTime now = time.Now();
        VolumeRow row = new()
        {
            Id = Guid.NewGuid().ToString(),
            ProjectId = request.Caller.ProjectId,
            UserId = request.Caller.UserId,
            Provider = provider.Name,
            Name = BackupBody.TextOf(volume, "name"),
            Description = BackupBody.TextOf(volume, "description"),
            Status = VolumeStates.Creating,
            Size = size,
            SizeBytes = size * ByteSizes.BytesInGiB,
            AvailabilityZone = BackupBody.TextOf(volume, "availability_zone") ?? options.AvailabilityZone,
            CreatedAt = now,
            Metadata = BackupBody.MetadataOf(volume),
        };
        if (BackupBody.UuidOf(volume, "backup_id") is { } backupId)
        {
            return await restoration.RestoreToNewAsync(request, backupId, row, cancellationToken);
        }

        await using CatalogContext catalog = database.Open();
        await using (var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken))
        {
            await catalog.LockProjectAsync(request.Caller.ProjectId, cancellationToken);
            await quotas.CheckVolumeAsync(catalog, request.Caller.ProjectId, size, isSnapshot: false, cancellationToken);
            catalog.Volumes.Add(row);
            await catalog.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        string status = VolumeStates.Available;
        try
        {
            await using IWritableVolume made = provider.Create(row.Id, row.SizeBytes);
        }
        catch (Exception exception) when (exception is VolumeException or IOException or UnauthorizedAccessException)
        {
            status = VolumeStates.Error;
        }

        await SetStatusAsync(catalog, row.Id, VolumeStates.Creating, status, CancellationToken.None);
        return row;
    }

    public async Task DeleteAsync(ApiRequest request, string id, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await volumes.FindAsync(catalog, request, id, cancellationToken);
        IVolumeProvider provider = volumes.ProviderOf(volume);
        bool isFree = volume.Status is VolumeStates.Available or VolumeStates.Error or VolumeStates.ErrorRestoring;
        bool hasSnapshots = await catalog.Snapshots.AnyAsync(row => row.VolumeId == id, cancellationToken);
        if (!isFree || hasSnapshots || !provider.CanCreate || !await SetStatusAsync(catalog, id, volume.Status, VolumeStates.Deleting, cancellationToken))
        {
            throw ApiFault.InvalidVolume("Volume status must be available or error or error_restoring, it must be a file of the volumes' directory, and must not have snapshots.");
        }

        provider.Delete(id);
        await catalog.Volumes.Where(row => row.Id == id && row.Status == VolumeStates.Deleting).ExecuteDeleteAsync(CancellationToken.None);
    }

    /// <summary>Attaching and detaching are somebody else's business: here only the status follows.</summary>
    public async Task ActAsync(ApiRequest request, string id, string? action, JsonElement value, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await volumes.FindAsync(catalog, request, id, cancellationToken);
        string status = action switch
        {
            "os-attach" when volume.Status == VolumeStates.Available => VolumeStates.InUse,
            "os-detach" when volume.Status == VolumeStates.InUse => VolumeStates.Available,
            "os-attach" or "os-detach" => throw ApiFault.InvalidVolume($"Volume status must be {(action == "os-attach" ? "available" : "in-use")}, but the current status is \"{volume.Status}\"."),
            "os-reset_status" => SettableStatus(request, value),
            _ => throw BackupActions.NoSuchAction(action ?? "None"),
        };
        if (volume.BusyJobId is not null || !await SetStatusAsync(catalog, id, volume.Status, status, cancellationToken))
        {
            throw ApiFault.InvalidVolume("A backup or restore keeps the volume busy.");
        }
    }

    private static string SettableStatus(ApiRequest request, JsonElement value)
    {
        request.RequireAdmin("volume_extension:volume_admin_actions:reset_status");
        string? status = value.ValueKind == JsonValueKind.Object ? BackupBody.TextOf(value, "status") : null;
        return _settableStates.Contains(status) ? status! : throw ApiFault.InvalidInput("Invalid volume status");
    }

    private static JsonElement Check(JsonDocument? body, ApiVersion version)
    {
        if (body is null)
        {
            throw ApiFault.MalformedBody();
        }

        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("volume", out JsonElement volume) || volume.ValueKind != JsonValueKind.Object)
        {
            throw ApiFault.BadRequest("'volume' is a required property");
        }

        // Before 3.47 real servers ignore a backup_id and make an empty volume; here it is refused like all else that cannot be done.
        bool isFromBackup = version >= ApiVersion.VolumeFromBackup && volume.TryGetProperty("backup_id", out JsonElement backupId) && backupId.ValueKind != JsonValueKind.Null;

        // Clients send much that there is nothing like here (volume_type, imageRef, ...): it may be there as long as it asks for nothing.
        string? asked = volume.EnumerateObject().Where(property => property.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False)
            && property.Name is not ("size" or "name" or "description" or "metadata" or "availability_zone" or "volume_type")
            && !(property.Name == "backup_id" && isFromBackup)).Select(property => property.Name).FirstOrDefault();
        if (asked is not null)
        {
            throw ApiFault.BadRequest($"Volumes cannot be made here with '{asked}'.");
        }

        if (volume.TryGetProperty("size", out JsonElement size) && !(isFromBackup && size.ValueKind == JsonValueKind.Null))
        {
            _size.Check(size, "size");
            if (IntegerSchema.Read(size) > MaxSize)
            {
                throw ApiFault.InvalidInput($"Volume size must be at most {MaxSize}");
            }
        }
        else if (!isFromBackup)
        {
            throw ApiFault.BadRequest("'size' is a required property");
        }

        foreach ((string name, Schema schema) in new (string, Schema)[] { ("name", _text), ("description", _text), ("availability_zone", _text), ("metadata", _metadata), ("backup_id", _backupId) })
        {
            if (volume.TryGetProperty(name, out JsonElement value))
            {
                schema.Check(value, name);
            }
        }

        return volume;
    }

    private async Task<bool> SetStatusAsync(CatalogContext catalog, string id, string from, string to, CancellationToken cancellationToken)
    {
        DateTime now = time.Now();
        return await catalog.Volumes.Where(row => row.Id == id && row.Status == from && row.BusyJobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, to).SetProperty(row => row.UpdatedAt, now), cancellationToken) == 1;
    }
}
