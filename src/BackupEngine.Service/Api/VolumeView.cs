using System.Text.Json;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Api;

/// <summary>Writes volumes as the API shows them. Clients validate the answers against schemas that allow no other members.</summary>
internal static class VolumeView
{
    /// <summary>Writes a volume as the plain list shows it.</summary>
    public static void WriteSummary(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
        writer.WriteStartObject();
        writer.WriteString("id", row.Id);
        writer.WriteString("name", row.Name);
        writer.WriteLinks(request, "volumes/" + row.Id);
        writer.WriteEndObject();
    }

    /// <summary>Writes a volume as the answer to its creation shows it: without the extended attributes.</summary>
    public static void WriteCreated(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
        writer.WriteStartObject();
        WriteCommon(writer, request, row);
        writer.WriteEndObject();
    }

    /// <summary>Writes a volume as the show request and the detailed list show it: with the extended attributes.</summary>
    public static void WriteDetail(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
        writer.WriteStartObject();
        WriteCommon(writer, request, row);
        writer.WriteString("os-vol-tenant-attr:tenant_id", row.ProjectId);
        if (request.Caller.IsAdmin)
        {
            writer.WriteNull("os-vol-mig-status-attr:migstat");
            writer.WriteNull("os-vol-mig-status-attr:name_id");

            // Clients require the form host@backend#pool. Each provider is a backend with one pool of the same name.
            writer.WriteString("os-vol-host-attr:host", $"backup-engine@{row.Provider}#{row.Provider}");
        }

        writer.WriteEndObject();
    }

    private static void WriteCommon(Utf8JsonWriter writer, ApiRequest request, VolumeRow row)
    {
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
        if (request.Caller.IsAdmin)
        {
            writer.WriteNull("migration_status");
        }
    }
}
