using System.Text.Json;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Api;

/// <summary>Volumes as the API shows them.</summary>
internal static class VolumeView
{
    public static void WriteSummary(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteString("name", row.Name);
        writer.WriteLinks(request, "volumes/" + row.Id);
        writer.WriteEndObject();
    }

    public static void WriteDetail(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteString("status", row.Status);
        writer.WriteNumber("size", row.Size);
        writer.WriteString("availability_zone", row.AvailabilityZone);
        writer.WriteTime("created_at", row.CreatedAt);
        writer.WriteTime("updated_at", row.UpdatedAt);
        writer.WriteString("name", row.Name);
        writer.WriteString("description", row.Description);
        writer.WriteString("volume_type", row.Provider);
        writer.WriteString("snapshot_id", row.SnapshotId);
        writer.WriteNull("source_volid");
        writer.WriteMetadata(row.Metadata);
        writer.WriteLinks(request, "volumes/" + row.Id);
        writer.WriteString("user_id", row.UserId);
        writer.WriteString("bootable", "false");
        writer.WriteBoolean("encrypted", false);
        writer.WriteNull("replication_status");
        writer.WriteNull("consistencygroup_id");
        writer.WriteBoolean("multiattach", false);
        writer.WriteStartArray("attachments");
        writer.WriteEndArray();
        writer.WriteNull("migration_status");
        writer.WriteString("os-vol-tenant-attr:tenant_id", row.ProjectId);
        if (request.Caller.IsAdmin)
        {
            writer.WriteNull("os-vol-mig-status-attr:migstat");
            writer.WriteNull("os-vol-mig-status-attr:name_id");
            writer.WriteString("os-vol-host-attr:host", $"backup-engine@{row.Provider}");
        }

        writer.WriteEndObject();
    }
}
