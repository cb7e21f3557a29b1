using Microsoft.Extensions.Logging;

namespace BackupEngine.Diagnostics;

/// <summary>All that the engine logs; the ids are listed in docs/architecture.md and do not change.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Backup {BackupId} of volume {VolumeId} ({SizeBytes} bytes) began; parent {ParentId}")]
    public static partial void BackupBegan(this ILogger logger, Guid backupId, string volumeId, long sizeBytes, Guid? parentId);

    [LoggerMessage(2, LogLevel.Information, "Backup {BackupId} is available: {BytesRead} bytes read, {BytesChanged} changed, {BytesStored} stored in {Seconds:F1} s")]
    public static partial void BackupCommitted(this ILogger logger, Guid backupId, long bytesRead, long bytesChanged, long bytesStored, double seconds);

    [LoggerMessage(3, LogLevel.Warning, "Backup {BackupId} of volume {VolumeId} failed")]
    public static partial void BackupFailed(this ILogger logger, Exception exception, Guid backupId, string volumeId);

    [LoggerMessage(4, LogLevel.Warning, "What backup {BackupId} left could not be removed; it wastes space and harms nothing")]
    public static partial void CleanUpFailed(this ILogger logger, Exception exception, Guid backupId);

    [LoggerMessage(5, LogLevel.Information, "Backup {BackupId} restored to {Target}: {BytesWritten} bytes written, {BytesZeroed} zeroed in {Seconds:F1} s")]
    public static partial void Restored(this ILogger logger, Guid backupId, string target, long bytesWritten, long bytesZeroed, double seconds);

    [LoggerMessage(6, LogLevel.Information, "Backup {BackupId} deleted: {ObjectCount} objects removed")]
    public static partial void Deleted(this ILogger logger, Guid backupId, int objectCount);

    [LoggerMessage(7, LogLevel.Information, "Backup {BackupId} imported; its data is {ManifestKey}")]
    public static partial void Imported(this ILogger logger, Guid backupId, string manifestKey);

    [LoggerMessage(8, LogLevel.Information, "Prune removed {BackupCount} backups and {ObjectCount} objects of {Bytes} bytes")]
    public static partial void Pruned(this ILogger logger, int backupCount, long objectCount, long bytes);

    [LoggerMessage(9, LogLevel.Warning, "Prune kept what it was to remove: {Reason}")]
    public static partial void PruneKept(this ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Information, "Backup {BackupId} takes over what backup {CutOffId} had stored when it was cut off")]
    public static partial void Resumed(this ILogger logger, Guid backupId, Guid cutOffId);

    [LoggerMessage(11, LogLevel.Warning, "Backup {BackupId} builds on backup {ParentId}, which is damaged; whatever is in its {PackCount} damaged packs is stored anew")]
    public static partial void BuildsOnDamaged(this ILogger logger, Guid backupId, Guid parentId, int packCount);

    [LoggerMessage(12, LogLevel.Warning, "Volume {VolumeId} is read as a whole: changed extents were given without a parent, and backup {ParentId}, which is to be it, is not the latest")]
    public static partial void ExtentsNotUsed(this ILogger logger, string volumeId, Guid parentId);
}
