using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Hosting;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using BackupEngine.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Jobs;

/// <summary>Makes a backup.</summary>
internal sealed class CreateWork(CatalogDatabase database, VolumeStore volumes, RepositoryHost repositories, BackupServiceOptions options, TimeProvider time) : IBackupWork
{
    public string Kind => JobKinds.Create;

    public bool IsRepeatable => false;

    public async Task<JobOutcome> RunAsync(BackupRow backup, IProgress<BackupProgress> progress, CancellationToken cancellationToken)
    {
        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        _ = ChunkCompression.TryParse(options.Compression, out ChunkCompression compression);
        BackupOptions how = new()
        {
            VolumeId = backup.VolumeId,
            BackupId = Guid.Parse(backup.Id),
            Name = backup.Name,
            Description = backup.Description,
            Incremental = backup.ParentId is not null,
            ParentId = backup.ParentId is null ? null : Guid.Parse(backup.ParentId),
            Compression = compression,
            SnapshotId = backup.SnapshotId,
            DataTimestamp = new DateTimeOffset(DateTime.SpecifyKind(backup.DataTimestamp ?? backup.CreatedAt, DateTimeKind.Utc)),
            AvailabilityZone = backup.AvailabilityZone,
            Metadata = EngineRecord.MetadataOf(backup),
        };
        (IVolume source, bool isForced) = await OpenAsync(backup, cancellationToken);
        await using IVolume opened = source;
        how = how with { AllowInconsistent = isForced };
        try
        {
            return Finished(await repository.BackupAsync(source, how, progress, cancellationToken));
        }
        catch (BackupNotFoundException) when (backup.ParentId is not null)
        {
            // The next incremental is to find another parent.
            await using CatalogContext catalog = database.Open();
            await ContainerCheck.MarkGoneAsync(catalog, backup.ParentId, time.Now(), cancellationToken);
            throw;
        }
    }

    public async Task<JobOutcome> CutOffAsync(BackupRow backup, string reason, CancellationToken cancellationToken)
    {
        // It may have been committed in its last moment.
        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        try
        {
            return await repository.GetAsync(Guid.Parse(backup.Id), cancellationToken) is { Status: BackupStatus.Available } committed
                ? Finished(committed)
                : Failed(backup, reason);
        }
        catch (BackupNotFoundException)
        {
            return Failed(backup, reason);
        }
    }

    public JobOutcome Failed(BackupRow backup, string reason) => new(BackupStates.Error)
    {
        SetBackup = set => set.SetProperty(row => row.FailReason, reason),
    };

    private JobOutcome Finished(Backup done) => new(BackupStates.Available)
    {
        SetBackup = set => set.SetProperty(row => row.IsCommitted, true)
            .SetProperty(row => row.Size, done.SizeGiB).SetProperty(row => row.SizeBytes, done.SizeBytes)
            .SetProperty(row => row.ObjectCount, done.ObjectCount).SetProperty(row => row.OrderTicks, EngineRecord.OrderOf(done))
            .SetProperty(row => row.Container, row => row.Container ?? options.ContainerName)
            .SetProperty(row => row.ProgressDone, done.SizeBytes).SetProperty(row => row.ProgressTotal, done.SizeBytes)
            .SetProperty(row => row.ProgressRead, done.BytesRead).SetProperty(row => row.ProgressChanged, done.BytesChanged)
            .SetProperty(row => row.ProgressStored, done.BytesStored),
    };

    /// <returns>What to read, and whether it is an in-use volume itself, whose backup the caller has forced.</returns>
    private async Task<(IVolume Source, bool IsForced)> OpenAsync(BackupRow backup, CancellationToken cancellationToken)
    {
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == backup.VolumeId, cancellationToken)
            ?? throw new VolumeException(backup.VolumeId, $"Volume {backup.VolumeId} is gone.");
        IVolumeProvider provider = volumes.ProviderOf(volume);
        return (backup.TempSnapshotId ?? backup.SnapshotId) is { } snapshotId
            ? (provider.OpenSnapshot(snapshotId), false)
            : (provider.OpenRead(volume.Id), volume.PreviousStatus == VolumeStates.InUse);
    }
}
