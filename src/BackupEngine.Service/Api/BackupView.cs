using System.Text.Json;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Api;

/// <summary>Backups as the API shows them. Clients check them against schemas that allow nothing more.</summary>
internal static class BackupView
{
    public static void WriteSummary(Utf8JsonWriter writer, ApiRequest request, BackupRow row)
    {
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteString("name", row.Name);
        writer.WriteLinks(request, "backups/" + row.Id);
        writer.WriteEndObject();
    }

    public static void WriteDetail(Utf8JsonWriter writer, ApiRequest request, BackupItem item)
    {
        BackupRow row = item.Row;
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteString("status", row.Status);
        writer.WriteNumber("size", row.Size);
        writer.WriteNumber("object_count", row.ObjectCount);
        writer.WriteString("availability_zone", row.AvailabilityZone);
        writer.WriteString("container", row.Container);
        writer.WriteTime("created_at", row.CreatedAt);
        writer.WriteTime("updated_at", row.UpdatedAt);
        writer.WriteString("name", row.Name);
        writer.WriteString("description", row.Description);
        writer.WriteString("fail_reason", row.FailReason);
        writer.WriteString("volume_id", row.VolumeId);
        writer.WriteLinks(request, "backups/" + row.Id);
        writer.WriteBoolean("is_incremental", row.ParentId is not null);
        writer.WriteBoolean("has_dependent_backups", item.HasDependents);
        writer.WriteString("snapshot_id", row.SnapshotId);
        writer.WriteTime("data_timestamp", row.DataTimestamp);
        if (request.Version >= ApiVersion.Metadata)
        {
            writer.WriteMetadata(row.Metadata);
        }

        if (request.Version >= ApiVersion.ProjectInDetails && request.Caller.IsAdmin)
        {
            writer.WriteString("os-backup-project-attr:project_id", row.ProjectId);
        }

        if (request.Version >= ApiVersion.UserInDetails && request.Caller.IsAdmin)
        {
            writer.WriteString("user_id", row.UserId);
        }

        if (request.Version >= ApiVersion.EncryptionKey && row.EncryptionKeyId is not null)
        {
            writer.WriteString("encryption_key_id", row.EncryptionKeyId);
        }

        writer.WriteEndObject();
    }
}
