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

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "Backup {BackupId} is dated {CreatedAt:u}, its data {DataTimestamp:u}, but the store's clock says {StoredAt:u}: a time that is later than the store's clock does not count. Check the clock of this machine")]
    public static partial void FutureTimestamp(this ILogger logger, Guid backupId, DateTimeOffset createdAt, DateTimeOffset dataTimestamp, DateTimeOffset storedAt);

    [LoggerMessage(
        13,
        LogLevel.Warning,
        "The clock of {StoreName} says {StoredAt:u}, and a backup of volume {VolumeId} is of {OrderedAt:u}: the store's clock is or was wrong. The backups keep the order in which they were stored")]
    public static partial void StoreClockWentBack(this ILogger logger, string storeName, DateTimeOffset storedAt, string volumeId, DateTimeOffset orderedAt);

    [LoggerMessage(40, LogLevel.Warning, "The last progress report of an operation that has succeeded failed in the caller's callback")]
    public static partial void LastProgressFailed(this ILogger logger, Exception exception);

    [LoggerMessage(41, LogLevel.Warning, "Backup {BackupId} of volume {VolumeId} is inconsistent: {Reason}")]
    public static partial void Inconsistent(this ILogger logger, Guid backupId, string volumeId, string reason);

    [LoggerMessage(42, LogLevel.Warning, "Backup {BackupId} of volume {VolumeId} cannot be the parent of an incremental backup because its manifest cannot be read; an older backup is tried. Run repair")]
    public static partial void ParentUnreadable(this ILogger logger, Exception exception, Guid backupId, string volumeId);

    [LoggerMessage(43, LogLevel.Warning, "Packs of volume {VolumeId} are kept because the manifest of backup {BackupId} cannot be read. Run repair, then delete that backup")]
    public static partial void PacksKept(this ILogger logger, Exception exception, Guid backupId, string volumeId);

    [LoggerMessage(24, LogLevel.Warning, "Volume {VolumeId} continues a chain with the hash xxh128, which misses changes that are constructed to be missed. Unless all content of the volume is trusted, make a full backup: it begins a chain with the hash blake3")]
    public static partial void WeakHash(this ILogger logger, string volumeId);

    [LoggerMessage(25, LogLevel.Information, "{Repository} has format version {Version} now; engines that do not know this version refuse it")]
    public static partial void FormatRaised(this ILogger logger, string repository, int version);

    [LoggerMessage(44, LogLevel.Warning, "{Operation} could not refresh its intent or mark in the store; it is tried again")]
    public static partial void RefreshFailed(this ILogger logger, Exception exception, string operation);
}
