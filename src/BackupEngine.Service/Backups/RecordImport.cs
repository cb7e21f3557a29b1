using System.Text;
using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>Takes an exported record into the catalog, and queues the looking whether its data is there.</summary>
internal sealed class RecordImport(CatalogDatabase database, Quotas quotas, JobQueue queue, TimeProvider time)
{
    public const string UnknownVolume = "00000000-0000-0000-0000-000000000000";

    private const int MaxSize = 1 << 30;

    public async Task<BackupRow> ImportAsync(ApiRequest request, JsonElement body, CancellationToken cancellationToken)
    {
        string service = body.GetProperty("backup_service").GetString()!;
        using JsonDocument record = Decode(body.GetProperty("backup_url").GetString()!);
        (string id, long size) = Check(record.RootElement);
        if (!EngineRecord.IsContainersOwn(record.RootElement))
        {
            BackupBody.CheckRecord(record.RootElement);
        }

        string jobId = Guid.NewGuid().ToString();
        DateTime now = time.Now();

        await using CatalogContext catalog = database.Open();
        await using var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken);
        await catalog.LockProjectAsync(request.Caller.ProjectId, cancellationToken);
        BackupRow? earlier = await catalog.Backups.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (earlier is not null && earlier.DeletedAt is null)
        {
            throw ApiFault.InvalidBackup("Backup already exists in database.");
        }

        await quotas.CheckBackupAsync(catalog, request.Caller.ProjectId, size, cancellationToken);
        await catalog.Backups.IgnoreQueryFilters().Where(row => row.Id == id && row.DeletedAt != null).ExecuteDeleteAsync(cancellationToken);
        BackupRow backup = new()
        {
            Id = id,
            ProjectId = request.Caller.ProjectId,
            UserId = request.Caller.UserId,
            Status = BackupStates.Creating,
            Size = size,
            CreatedAt = now,
            UpdatedAt = now,
            VolumeId = UnknownVolume,
            ImportedRecord = JsonSerializer.Serialize(new ImportedRecord(service, record.RootElement)),
            JobId = jobId,
            JobKind = JobKinds.Import,
        };
        catalog.Backups.Add(backup);
        try
        {
            await catalog.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (DbUpdateException)
        {
            // Another import of the same id was a moment faster.
            throw ApiFault.InvalidBackup("Backup already exists in database.");
        }

        await queue.TryEnqueueAsync(jobId, id, cancellationToken);
        return backup;
    }

    private static JsonDocument Decode(string backupUrl)
    {
        JsonDocument record;
        try
        {
            record = JsonDocument.Parse(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Convert.FromBase64String(backupUrl)));
            if (JsonTexts.HaveNul(record.RootElement))
            {
                throw Unreadable();
            }
        }
        catch (Exception exception) when (exception is FormatException or JsonException or DecoderFallbackException or InvalidOperationException)
        {
            throw Unreadable();
        }

        return record.RootElement.ValueKind == JsonValueKind.Object
            ? record
            : throw ApiFault.BadRequest("The server could not comply with the request since it is either malformed or otherwise incorrect.");
    }

    private static (string Id, long Size) Check(JsonElement record)
    {
        if (!record.TryGetProperty("id", out JsonElement id) || id.ValueKind == JsonValueKind.Null)
        {
            throw ApiFault.InvalidInput("Provided backup record is missing an id");
        }

        if (!record.TryGetProperty("size", out JsonElement size) || size.ValueKind == JsonValueKind.Null)
        {
            throw ApiFault.InvalidInput("Provided backup record is missing size attribute");
        }

        return id.ValueKind == JsonValueKind.String && Guid.TryParse(id.GetString(), out Guid guid)
            && size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out long gib) && gib is >= 0 and <= MaxSize
            ? (guid.ToString(), gib)
            : throw Unreadable();
    }

    private static ApiFault Unreadable() => ApiFault.InvalidInput("Can't parse backup record.");
}
