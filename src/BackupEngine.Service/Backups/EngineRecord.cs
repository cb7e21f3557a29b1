using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Backups;

/// <summary>
/// What the container's own record says of a backup, and what this service hides in it: owner, container's name and time of the request go as metadata whose
/// keys no caller can choose, so that a lost catalog can be rebuilt from the container alone.
/// </summary>
internal static class EngineRecord
{
    private const string ProjectKey = "@project_id";
    private const string UserKey = "@user_id";
    private const string ContainerKey = "@container";
    private const string CreatedKey = "@created_at";

    /// <summary>The metadata that goes into the container's record.</summary>
    public static Dictionary<string, string> MetadataOf(BackupRow backup)
    {
        Dictionary<string, string> metadata = ReadMetadata(backup.Metadata);
        metadata[ProjectKey] = backup.ProjectId;
        metadata[UserKey] = backup.UserId;
        metadata[CreatedKey] = DateTime.SpecifyKind(backup.CreatedAt, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture);
        if (backup.Container is not null)
        {
            metadata[ContainerKey] = backup.Container;
        }

        return metadata;
    }

    /// <summary>The catalog's row of a backup that is known only from the container.</summary>
    public static BackupRow ToRow(Backup record, string defaultProjectId, string defaultContainer) => new()
    {
        Id = record.Id.ToString(),
        ProjectId = record.Metadata.GetValueOrDefault(ProjectKey, defaultProjectId),
        UserId = record.Metadata.GetValueOrDefault(UserKey, ""),
        Name = record.Name,
        Description = record.Description,
        Status = BackupStates.Available,
        Size = record.SizeGiB,
        SizeBytes = record.SizeBytes,
        ObjectCount = record.ObjectCount,
        AvailabilityZone = record.AvailabilityZone,
        Container = record.Metadata.GetValueOrDefault(ContainerKey, defaultContainer),
        CreatedAt = DateTime.TryParse(record.Metadata.GetValueOrDefault(CreatedKey), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTime created)
            ? created
            : record.CreatedAt.UtcDateTime,
        UpdatedAt = record.UpdatedAt?.UtcDateTime,
        DataTimestamp = record.DataTimestamp.UtcDateTime,
        OrderTicks = OrderOf(record),
        VolumeId = record.VolumeId,
        SnapshotId = record.SnapshotId,
        ParentId = record.ParentId?.ToString(),
        Metadata = JsonSerializer.Serialize(record.Metadata.Where(pair => !pair.Key.StartsWith('@')).ToDictionary()),
        IsCommitted = true,
    };

    /// <summary>A backup's place in the order of its volume; records of earlier versions have none but when they were made.</summary>
    public static long OrderOf(Backup record) => (record.OrderedAt ?? record.StoredAt ?? record.CreatedAt).UtcTicks;

    public static Dictionary<string, string> ReadMetadata(string json) => JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    /// <summary>Whether a record is the container's own, as the command line exports it; in the API's records it is one field.</summary>
    public static bool IsContainersOwn(JsonElement record) => record.TryGetProperty("manifest", out _) && !record.TryGetProperty("service_metadata", out _);

    /// <summary>The container's record, as exported, with another value in one field.</summary>
    /// <exception cref="InvalidDataException">It is not the container's record of anything.</exception>
    public static string With(string base64, string field, string value)
    {
        try
        {
            using JsonDocument exported = JsonDocument.Parse(Convert.FromBase64String(base64));
            JsonObject record = JsonObject.Create(exported.RootElement) ?? throw new JsonException("null");
            if (JsonTexts.HaveNul(exported.RootElement))
            {
                throw new JsonException("NUL");
            }

            record[field] = value;
            return Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(record));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException("The record's service_metadata is not that of a backup of this engine.", exception);
        }
    }
}
