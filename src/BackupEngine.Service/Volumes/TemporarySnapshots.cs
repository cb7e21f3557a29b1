using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Volumes;

/// <summary>Snapshots of in-use volumes that live as long as their backups take: only the jobs read them, and they go however the jobs end.</summary>
internal sealed class TemporarySnapshots(VolumeStore volumes)
{
    private const string Prefix = "backup-";

    // Younger ones may belong to requests whose backups nobody sees yet.
    private static readonly TimeSpan _minAge = TimeSpan.FromMinutes(5);

    /// <summary>Takes one.</summary>
    /// <returns>Its id; null when the storage cannot.</returns>
    public string? TryTake(VolumeRow volume, string backupId)
    {
        string id = Prefix + backupId;
        try
        {
            return volumes.ProviderOf(volume).TrySnapshot(volume.Id, id) ? id : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Removes that of a backup; none is no error.</summary>
    public void Remove(string backupId) => volumes.DeleteSnapshot(Prefix + backupId);

    /// <summary>Removes those that crashes left: no job is going to read them.</summary>
    public async Task RemoveForgottenAsync(CatalogContext catalog, DateTime now, CancellationToken cancellationToken)
    {
        foreach ((string id, DateTime takenAt) in volumes.ListSnapshots().Where(snapshot => snapshot.Id.StartsWith(Prefix, StringComparison.Ordinal)).ToList())
        {
            if (takenAt < now - _minAge && !await catalog.Backups.IgnoreQueryFilters().AnyAsync(
                row => row.TempSnapshotId == id && (row.JobId != null || row.RunningJobId != null), cancellationToken))
            {
                volumes.DeleteSnapshot(id);
            }
        }
    }
}
