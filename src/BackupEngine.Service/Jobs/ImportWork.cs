using System.Globalization;
using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Jobs;

/// <summary>Looks whether the data of an imported record is there, and takes the record's fields over.</summary>
internal sealed class ImportWork(RepositoryHost repositories, CatalogDatabase database, BackupServiceOptions options) : IBackupWork
{
    private static readonly string[] _requiredFields = ["display_name", "display_description", "container", "size", "service_metadata", "object_count", "id"];

    public string Kind => JobKinds.Import;

    public bool IsRepeatable => true;

    public async Task<JobOutcome> RunAsync(BackupRow backup, IProgress<BackupProgress> progress, CancellationToken cancellationToken)
    {
        ImportedRecord imported = JsonSerializer.Deserialize<ImportedRecord>(backup.ImportedRecord!)!;
        JsonElement record = imported.Record;
        if (imported.Service != ExportedRecord.ServiceName)
        {
            return Failed(backup, $"Import record failed, cannot find backup service to perform the import. Request service {imported.Service}.");
        }

        string[] missing = [.. _requiredFields.Where(field => !record.TryGetProperty(field, out _))];
        bool isEnginesOwn = EngineRecord.IsContainersOwn(record);
        if (missing.Length > 0 && !isEnginesOwn)
        {
            return Failed(backup, $"Driver successfully decoded imported backup data, but there are missing fields ({string.Join(", ", missing)}).");
        }

        // A record that the command line exported is the container's own; the API's has it inside.
        string own = isEnginesOwn ? Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(record)) : TextOf(record, "service_metadata") ?? "";
        Backup found = await TakeInAsync(new(ExportedRecord.ServiceName, EngineRecord.With(own, "id", backup.Id)), backup, cancellationToken);
        return new(BackupStates.Available) { SetBackup = set => Set(set, record, found, isEnginesOwn) };
    }

    public JobOutcome Failed(BackupRow backup, string reason) => new(BackupStates.Error)
    {
        // What the container has of this id by now, or comes to have, is somebody else's.
        SetBackup = set => set.SetProperty(row => row.FailReason, reason).SetProperty(row => row.ImportedRecord, (string?)null).SetProperty(row => row.IsCommitted, false),
    };

    private async Task<Backup> TakeInAsync(ExportedRecord record, BackupRow backup, CancellationToken cancellationToken)
    {
        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        Guid id = Guid.Parse(backup.Id);
        Backup? present = await FindAsync(repository, id, cancellationToken);
        if (present is { Status: BackupStatus.Available, ManifestSha256: { } held })
        {
            using JsonDocument wanted = JsonDocument.Parse(Convert.FromBase64String(record.BackupUrl));
            if (TextOf(wanted.RootElement, "manifest_sha256") == held)
            {
                // The very one: a new catalog takes over an old container.
                return present;
            }
        }
        else if (present is null)
        {
            await OwnAsync(backup, cancellationToken);
        }

        return await repository.ImportRecordAsync(record, cancellationToken);
    }

    private static async Task<Backup?> FindAsync(BackupRepository repository, Guid id, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.GetAsync(id, cancellationToken);
        }
        catch (BackupNotFoundException)
        {
            return null;
        }
    }

    /// <summary>From here on the backup in the container, if there is one, is this row's: deleting the row deletes it, even if the import is cancelled at its last moment.</summary>
    private async Task OwnAsync(BackupRow backup, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        if (await catalog.Backups.Where(row => row.Id == backup.Id && row.JobId == backup.JobId && row.RunningJobId == backup.JobId)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.IsCommitted, true), cancellationToken) == 0)
        {
            throw new OperationCanceledException($"The import of backup {backup.Id} is not wanted any more.");
        }
    }

    private void Set(Microsoft.EntityFrameworkCore.Query.UpdateSettersBuilder<BackupRow> set, JsonElement record, Backup found, bool isEnginesOwn)
    {
        BackupRow own = EngineRecord.ToRow(found, "", options.ContainerName);
        string? name = isEnginesOwn ? own.Name : TextOf(record, "display_name");
        string? description = isEnginesOwn ? own.Description : TextOf(record, "display_description");
        string? container = (isEnginesOwn ? null : TextOf(record, "container")) ?? own.Container;
        string? zone = TextOf(record, "availability_zone");
        string metadata = !isEnginesOwn && record.TryGetProperty("metadata", out JsonElement value) && value.ValueKind == JsonValueKind.Object
            && value.EnumerateObject().All(property => property.Value.ValueKind == JsonValueKind.String) ? value.GetRawText() : own.Metadata;
        DateTime createdAt = TimeOf(record, "created_at", own.CreatedAt);
        DateTime dataTimestamp = TimeOf(record, "data_timestamp", found.DataTimestamp.UtcDateTime);
        string? key = TextOf(record, "encryption_key_id");
        set.SetProperty(row => row.Name, name).SetProperty(row => row.Description, description)
            .SetProperty(row => row.Container, container).SetProperty(row => row.AvailabilityZone, zone)
            .SetProperty(row => row.Metadata, metadata).SetProperty(row => row.EncryptionKeyId, key)
            .SetProperty(row => row.CreatedAt, createdAt).SetProperty(row => row.DataTimestamp, dataTimestamp)

            // These say what the data is: they are the container's word, not the record's.
            .SetProperty(row => row.VolumeId, own.VolumeId).SetProperty(row => row.SnapshotId, own.SnapshotId).SetProperty(row => row.ParentId, own.ParentId)
            .SetProperty(row => row.Size, own.Size).SetProperty(row => row.SizeBytes, own.SizeBytes).SetProperty(row => row.ObjectCount, own.ObjectCount).SetProperty(row => row.OrderTicks, own.OrderTicks)
            .SetProperty(row => row.IsCommitted, true).SetProperty(row => row.ImportedRecord, (string?)null).SetProperty(row => row.FailReason, (string?)null);
    }

    private static string? TextOf(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // Records tell times to the second. Where the container agrees, it knows better: within a second, too, incrementals have an order.
    private static DateTime TimeOf(JsonElement record, string name, DateTime known) =>
        DateTime.TryParse(TextOf(record, name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime told)
            && told != known.AddTicks(-(known.Ticks % TimeSpan.TicksPerSecond)) ? told : known;
}
