using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Volumes;
using BackupEngine.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Jobs;

/// <summary>Restores a backup.</summary>
internal sealed class RestoreWork(CatalogDatabase database, VolumeStore volumes, RepositoryHost repositories) : IBackupWork
{
    public string Kind => JobKinds.Restore;

    public bool IsRepeatable => false;

    public async Task<JobOutcome> RunAsync(BackupRow backup, IProgress<BackupProgress> progress, CancellationToken cancellationToken)
    {
        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        await using CatalogContext catalog = database.Open();
        VolumeRow volume = await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == backup.RestoreVolumeId, cancellationToken)
            ?? throw new VolumeException(backup.RestoreVolumeId!, $"Volume {backup.RestoreVolumeId} is gone.");
        IVolumeProvider provider = volumes.ProviderOf(volume);

        // A volume that was there before this job was taken with the status that it had; a new one never had any.
        bool isNew = volume.PreviousStatus is null;
        await using (IWritableVolume target = isNew ? provider.Create(volume.Id, volume.SizeBytes) : provider.OpenWrite(volume.Id))
        {
            try
            {
                await repository.RestoreAsync(Guid.Parse(backup.Id), target, new(), progress, cancellationToken);
            }
            catch (BackupNotFoundException)
            {
                return Failed(backup, ContainerCheck.Gone) with { Status = BackupStates.Error, SetBackup = ContainerCheck.SetGone };
            }
        }

        return Restored(backup, volume, isNew ? await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == backup.VolumeId, cancellationToken) : null);
    }

    public JobOutcome Failed(BackupRow backup, string reason) => new(BackupStates.Available)
    {
        SetBackup = set => set.SetProperty(row => row.FailReason, reason),
        VolumeStatus = VolumeStates.ErrorRestoring,
    };

    private static JobOutcome Restored(BackupRow backup, VolumeRow volume, VolumeRow? source)
    {
        Dictionary<string, string> metadata = EngineRecord.ReadMetadata(source?.Metadata ?? "{}");
        foreach ((string name, string value) in EngineRecord.ReadMetadata(volume.Metadata))
        {
            metadata[name] = value;
        }

        metadata["src_backup_id"] = backup.Id;
        string json = JsonSerializer.Serialize(metadata);

        // A new volume for which nobody chose a name becomes what its source was called.
        bool takesName = source?.Name is not null && volume.Name == BackupRestoration.DefaultName(backup.Id);
        return new(BackupStates.Available)
        {
            SetBackup = set => set.SetProperty(row => row.FailReason, (string?)null),
            VolumeStatus = VolumeStates.Available,
            SetVolume = set =>
            {
                set.SetProperty(row => row.Metadata, json);
                if (takesName)
                {
                    set.SetProperty(row => row.Name, source!.Name).SetProperty(row => row.Description, source.Description);
                }
            },
        };
    }
}
