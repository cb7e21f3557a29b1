using System.Buffers;
using System.Globalization;
using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;

namespace BackupEngine.Service.Backups;

/// <summary>Writes a backup's record for another catalog to take in. It tells where the data is, holds none of it, and no credentials.</summary>
internal sealed class RecordExport(CatalogDatabase database, RepositoryHost repositories, BackupServiceOptions options, TimeProvider time)
{
    /// <summary>The record, in standard base64.</summary>
    public async Task<string> ExportAsync(ApiRequest request, string id, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        BackupItem item = await BackupItem.FindAsync(catalog, request, id, cancellationToken);
        if (item.Row.Status != BackupStates.Available)
        {
            throw ApiFault.InvalidBackup($"Backup status must be available and not {item.Row.Status}.");
        }

        try
        {
            BackupRepository repository = await repositories.GetAsync(cancellationToken);
            ExportedRecord record = await repository.ExportRecordAsync(Guid.Parse(id), cancellationToken);
            return Convert.ToBase64String(Write(item, EngineRecord.With(record.BackupUrl, "container", item.Row.Container ?? options.ContainerName)).Span);
        }
        catch (BackupNotFoundException)
        {
            await ContainerCheck.MarkGoneAsync(catalog, id, time.Now(), cancellationToken);
            throw ApiFault.InvalidBackup("The container holds no such backup.");
        }
        catch (BackupEngineException exception) when (exception.IsTransient)
        {
            throw ApiFault.Unavailable("The container cannot be reached.");
        }
    }

    private static ReadOnlyMemory<byte> Write(BackupItem item, string serviceMetadata)
    {
        BackupRow row = item.Row;
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("driver_info");
            writer.WriteEndObject();
            writer.WriteString("id", row.Id);
            writer.WriteString("user_id", row.UserId);
            writer.WriteString("project_id", row.ProjectId);
            writer.WriteString("volume_id", row.VolumeId);
            writer.WriteNull("host");
            writer.WriteString("availability_zone", row.AvailabilityZone);
            writer.WriteString("container", row.Container);
            writer.WriteString("parent_id", row.ParentId);
            writer.WriteString("status", row.Status);
            writer.WriteString("fail_reason", row.FailReason);
            writer.WriteNumber("size", row.Size);
            writer.WriteString("display_name", row.Name);
            writer.WriteString("display_description", row.Description);
            writer.WriteString("service_metadata", serviceMetadata);
            writer.WriteString("service", ExportedRecord.ServiceName);
            writer.WriteNumber("object_count", row.ObjectCount);
            writer.WriteNull("temp_volume_id");
            writer.WriteNull("temp_snapshot_id");
            writer.WriteNumber("num_dependent_backups", item.HasDependents ? 1 : 0);
            writer.WriteString("snapshot_id", row.SnapshotId);
            WriteTime(writer, "data_timestamp", row.DataTimestamp);
            writer.WriteString("restore_volume_id", row.RestoreVolumeId);
            writer.WriteMetadata(row.Metadata);
            writer.WriteString("encryption_key_id", row.EncryptionKeyId);
            WriteTime(writer, "created_at", row.CreatedAt);
            WriteTime(writer, "updated_at", row.UpdatedAt);
            writer.WriteNull("deleted_at");
            writer.WriteBoolean("deleted", false);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, DateTime? time) =>
        writer.WriteString(name, time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
}
