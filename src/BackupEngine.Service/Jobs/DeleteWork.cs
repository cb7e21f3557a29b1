using BackupEngine.Catalog;
using BackupEngine.Hosting;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Jobs;

/// <summary>Deletes a backup. Deleting one that is half gone goes on where it stopped.</summary>
internal sealed class DeleteWork(RepositoryHost repositories, TimeProvider time) : IBackupWork
{
    public string Kind => JobKinds.Delete;

    public bool IsRepeatable => true;

    public async Task<JobOutcome> RunAsync(BackupRow backup, IProgress<BackupProgress> progress, CancellationToken cancellationToken)
    {
        // A record whose import failed has an id that somebody else's backup in the container may have.
        bool isFailedImport = !backup.IsCommitted && backup.VolumeId == RecordImport.UnknownVolume;
        if (!isFailedImport)
        {
            await DeleteDataAsync(Guid.Parse(backup.Id), cancellationToken);
        }

        DateTime now = time.Now();
        return new("deleted") { SetBackup = set => set.SetProperty(row => row.DeletedAt, now) };
    }

    public JobOutcome Failed(BackupRow backup, string reason) => new(BackupStates.ErrorDeleting)
    {
        SetBackup = set => set.SetProperty(row => row.FailReason, reason),
    };

    private async Task DeleteDataAsync(Guid id, CancellationToken cancellationToken)
    {
        BackupRepository repository = await repositories.GetAsync(cancellationToken);
        try
        {
            await repository.DeleteAsync(id, cancellationToken);
        }
        catch (BackupNotFoundException)
        {
            // It was never finished, or a delete that was cut off had already done it.
        }
    }
}
