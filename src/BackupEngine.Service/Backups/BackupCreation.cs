using System.Text.Json;
using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using BackupEngine.Service.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>Takes a backup into the catalog and queues the making of it.</summary>
internal sealed class BackupCreation(
    CatalogDatabase database, VolumeStore volumes, TemporarySnapshots snapshots, Quotas quotas, JobQueue queue, BackupServiceOptions options, TimeProvider time)
{
    public async Task<BackupRow> CreateAsync(ApiRequest request, JsonElement body, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await volumes.FindAsync(catalog, request, BackupBody.UuidOf(body, "volume_id")!, cancellationToken);
        string backupId = Guid.NewGuid().ToString();
        string jobId = Guid.NewGuid().ToString();
        BackupRow backup;
        try
        {
            await using var transaction = await catalog.Database.BeginTransactionAsync(cancellationToken);
            backup = await EnterAsync(catalog, request, body, volume, backupId, jobId, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch when (BackupBody.FlagOf(body, "force"))
        {
            snapshots.Remove(backupId);
            throw;
        }

        await queue.TryEnqueueAsync(jobId, backupId, cancellationToken);
        return backup;
    }

    private async Task<BackupRow> EnterAsync(
        CatalogContext catalog, ApiRequest request, JsonElement body, VolumeRow volume, string backupId, string jobId, CancellationToken cancellationToken)
    {
        DateTime now = time.Now();
        string project = request.Caller.ProjectId;
        await catalog.LockProjectAsync(project, cancellationToken);
        SnapshotRow? snapshot = await FindSnapshotAsync(catalog, request, body, volume, cancellationToken);
        bool isInUse = snapshot is null && CheckVolume(volume, BackupBody.FlagOf(body, "force"));
        await quotas.CheckBackupAsync(catalog, project, snapshot?.Size ?? volume.Size, cancellationToken);
        string? parentId = BackupBody.FlagOf(body, "incremental") ? await FindParentAsync(catalog, project, volume.Id, snapshot?.CreatedAt, cancellationToken) : null;
        if (snapshot is null && !await Claims.TryTakeVolumeAsync(catalog, volume, VolumeStates.BackingUp, jobId, now, cancellationToken))
        {
            VolumeRow current = await catalog.Volumes.AsNoTracking().FirstAsync(row => row.Id == volume.Id, cancellationToken);
            throw Busy(current.Status);
        }

        if (snapshot is not null && !await Claims.TryTakeSnapshotAsync(catalog, snapshot.Id, jobId, now, cancellationToken))
        {
            throw SnapshotBusy(VolumeStates.BackingUp);
        }

        BackupRow backup = new()
        {
            Id = backupId,
            ProjectId = project,
            UserId = request.Caller.UserId,
            Name = BackupBody.TextOf(body, "name"),
            Description = BackupBody.TextOf(body, "description"),
            Status = BackupStates.Creating,
            Size = snapshot?.Size ?? volume.Size,
            AvailabilityZone = BackupBody.TextOf(body, "availability_zone") == options.AvailabilityZone ? options.AvailabilityZone : null,
            Container = BackupBody.TextOf(body, "container"),
            CreatedAt = now,
            UpdatedAt = now,
            DataTimestamp = snapshot?.CreatedAt ?? now,
            VolumeId = volume.Id,
            SnapshotId = snapshot?.Id,
            ParentId = parentId,
            Metadata = BackupBody.MetadataOf(body),
            TempSnapshotId = isInUse ? TakeTemporarySnapshot(volume, backupId) : null,
            JobId = jobId,
            JobKind = JobKinds.Create,
        };
        catalog.Backups.Add(backup);
        await catalog.SaveChangesAsync(cancellationToken);
        return backup;
    }

    private static async Task<SnapshotRow?> FindSnapshotAsync(
        CatalogContext catalog, ApiRequest request, JsonElement body, VolumeRow volume, CancellationToken cancellationToken)
    {
        if (BackupBody.UuidOf(body, "snapshot_id") is not { } id)
        {
            return null;
        }

        SnapshotRow? snapshot = await catalog.Snapshots.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, cancellationToken);
        return snapshot is null || !request.Caller.Sees(snapshot.ProjectId) ? throw ApiFault.NotFound("Snapshot", id)
            : snapshot.VolumeId != volume.Id ? throw ApiFault.InvalidVolume($"Volume {volume.Id} does not match with snapshot.volume_id {snapshot.VolumeId}.")
            : snapshot.Status != VolumeStates.Available ? throw SnapshotBusy(snapshot.Status)
            : snapshot;
    }

    /// <summary>Refuses a volume that cannot be backed up now.</summary>
    /// <returns>Whether it is in use.</returns>
    private static bool CheckVolume(VolumeRow volume, bool isForced)
    {
        if (volume.Status is not (VolumeStates.Available or VolumeStates.InUse))
        {
            throw Busy(volume.Status);
        }

        bool isInUse = volume.Status == VolumeStates.InUse;
        return isInUse && !isForced ? throw ApiFault.InvalidVolume("Backing up an in-use volume must use the force flag.") : isInUse;
    }

    private static async Task<string> FindParentAsync(CatalogContext catalog, string project, string volumeId, DateTime? before, CancellationToken cancellationToken)
    {
        IQueryable<BackupRow> candidates = catalog.Backups.Where(row => row.VolumeId == volumeId && row.ProjectId == project && row.Status == BackupStates.Available);
        if (before is { } time)
        {
            candidates = candidates.Where(row => row.DataTimestamp < time);
        }

        string? parentId = await candidates.OrderByDescending(row => row.OrderTicks ?? 0).ThenByDescending(row => row.DataTimestamp).ThenByDescending(row => row.CreatedAt).Select(row => row.Id).FirstOrDefaultAsync(cancellationToken);

        // The one that was stored last: the clocks of servers may have been wrong.
        // Whoever would delete the parent now waits for us, and then sees its child.
        bool isHeld = parentId is not null && await catalog.Backups.Where(row => row.Id == parentId && row.Status == BackupStates.Available)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.UpdatedAt, row => row.UpdatedAt), cancellationToken) == 1;
        return isHeld ? parentId! : throw ApiFault.InvalidBackup("No backups available to do an incremental backup.");
    }

    private string? TakeTemporarySnapshot(VolumeRow volume, string backupId) =>
        snapshots.TryTake(volume, backupId) is { } snapshotId ? snapshotId
        : options.InUseVolumesAreQuiesced ? null
        : throw ApiFault.InvalidVolume("The volume is in use, its storage cannot take a snapshot, and the service is not configured to trust that it is quiesced.");

    private static ApiFault Busy(string status) =>
        ApiFault.InvalidVolume($"Volume to be backed up must be available or in-use, but the current status is \"{status}\".");

    private static ApiFault SnapshotBusy(string status) =>
        ApiFault.InvalidSnapshot($"Snapshot to be backed up must be available, but the current status is \"{status}\".");
}
