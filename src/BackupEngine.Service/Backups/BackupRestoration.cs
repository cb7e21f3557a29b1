using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using BackupEngine.Service.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>Queues the restoring of a backup to a volume that is there, or to a new one.</summary>
internal sealed class BackupRestoration(
    CatalogDatabase database, VolumeStore volumes, Quotas quotas, JobQueue queue, BackupServiceOptions options, TimeProvider time)
{
    public const string NewVolumeDescription = "auto-created_from_restore_from_backup";

    /// <summary>The name of a new volume for which nobody gave one.</summary>
    public static string DefaultName(string backupId) => "restore_backup_" + backupId;

    /// <returns>The volume that is restored to.</returns>
    public async Task<VolumeRow> RestoreAsync(ApiRequest request, string id, JsonElement body, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        BackupRow backup = (await BackupItem.FindAsync(catalog, request, id, cancellationToken)).Row;
        if (backup.Status != BackupStates.Available)
        {
            throw NotAvailable();
        }

        VolumeRow? existing = BackupBody.UuidOf(body, "volume_id") is { } volumeId ? await volumes.FindAsync(catalog, request, volumeId, cancellationToken) : null;
        if (existing is not null)
        {
            CheckFits(existing, backup);
        }

        VolumeRow volume = existing ?? NewVolume(request, backup, BackupBody.TextOf(body, "name"));
        await QueueAsync(catalog, request, backup, volume, isNew: existing is null, cancellationToken);
        return volume;
    }

    /// <summary>Makes a volume that holds a backup, as the API's way of making volumes has it.</summary>
    /// <param name="request">Who asks.</param>
    /// <param name="id">The backup.</param>
    /// <param name="volume">The volume; of size 0, it gets the backup's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The volume as it is shown at first.</returns>
    public async Task<VolumeRow> RestoreToNewAsync(ApiRequest request, string id, VolumeRow volume, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        BackupRow backup = (await BackupItem.FindAsync(catalog, request, id, cancellationToken)).Row;
        if (volume.Size != 0 && volume.Size < backup.Size)
        {
            throw ApiFault.InvalidInput($"Volume size {volume.Size}GB cannot be smaller than the backup size {backup.Size}GB. It must be >= backup size.");
        }

        if (backup.Status != BackupStates.Available)
        {
            throw ApiFault.InvalidBackup("Originating backup status must be one of 'available' values");
        }

        if (volume.Size <= backup.Size)
        {
            (volume.Size, volume.SizeBytes) = (backup.Size, backup.SizeBytes);
        }

        await QueueAsync(catalog, request, backup, volume, isNew: true, cancellationToken);
        volume.Status = VolumeStates.Creating;
        return volume;
    }

    private async Task QueueAsync(CatalogContext catalog, ApiRequest request, BackupRow backup, VolumeRow volume, bool isNew, CancellationToken cancellationToken)
    {
        string jobId = Guid.NewGuid().ToString();
        DateTime now = time.Now();
        await using var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken);
        await catalog.LockProjectAsync(request.Caller.ProjectId, cancellationToken);
        if (isNew)
        {
            await quotas.CheckVolumeAsync(catalog, request.Caller.ProjectId, volume.Size, isSnapshot: false, cancellationToken);
            (volume.Status, volume.BusyJobId, volume.CreatedAt, volume.UpdatedAt) = (VolumeStates.RestoringBackup, jobId, now, now);
            catalog.Volumes.Add(volume);
            await catalog.SaveChangesAsync(cancellationToken);
        }

        int taken = await catalog.Backups.Where(row => row.Id == backup.Id && row.Status == BackupStates.Available && row.JobId == null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.Status, BackupStates.Restoring).SetProperty(row => row.JobId, jobId).SetProperty(row => row.JobKind, JobKinds.Restore)
                .SetProperty(row => row.RestoreVolumeId, volume.Id).SetProperty(row => row.UpdatedAt, now)
                .SetProperty(row => row.ProgressDone, 0).SetProperty(row => row.ProgressTotal, 0).SetProperty(row => row.ProgressRead, 0)
                .SetProperty(row => row.ProgressChanged, 0).SetProperty(row => row.ProgressStored, 0),
            cancellationToken);
        if (taken != 1)
        {
            throw NotAvailable();
        }

        if (!isNew && !await Claims.TryTakeVolumeAsync(catalog, volume, VolumeStates.RestoringBackup, jobId, now, cancellationToken))
        {
            throw VolumeNotAvailable();
        }

        await transaction.CommitAsync(cancellationToken);
        await queue.TryEnqueueAsync(jobId, backup.Id, cancellationToken);
    }

    private static void CheckFits(VolumeRow volume, BackupRow backup)
    {
        if (volume.Status != VolumeStates.Available)
        {
            throw VolumeNotAvailable();
        }

        if (volume.Size < backup.Size)
        {
            throw ApiFault.InvalidVolume($"volume size {volume.Size} is too small to restore backup of size {backup.Size}.");
        }

        if (volume.SizeBytes < backup.SizeBytes)
        {
            throw ApiFault.InvalidVolume($"volume size {volume.SizeBytes} bytes is too small to restore backup of size {backup.SizeBytes} bytes.");
        }
    }

    private VolumeRow NewVolume(ApiRequest request, BackupRow backup, string? name)
    {
        IVolumeProvider provider = volumes.Creator ?? throw ApiFault.InvalidInput("No volumes can be made here; name one to restore to.");
        return new()
        {
            Id = Guid.NewGuid().ToString(),
            ProjectId = request.Caller.ProjectId,
            UserId = request.Caller.UserId,
            Provider = provider.Name,
            Name = name ?? DefaultName(backup.Id),
            Description = NewVolumeDescription,
            Status = VolumeStates.RestoringBackup,
            Size = backup.Size,
            SizeBytes = backup.SizeBytes,
            AvailabilityZone = options.AvailabilityZone,
            CreatedAt = time.Now(),
        };
    }

    private static ApiFault NotAvailable() => ApiFault.InvalidBackup("Backup status must be available");

    private static ApiFault VolumeNotAvailable() => ApiFault.InvalidVolume("Volume to be restored to must be available");
}
