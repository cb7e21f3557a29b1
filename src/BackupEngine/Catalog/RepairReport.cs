using BackupEngine.Diagnostics;

namespace BackupEngine.Catalog;

/// <summary>What a repair changed.</summary>
public sealed record RepairReport
{
    /// <summary>Gets the backups whose records were lost or could not be read, and were rebuilt from their manifests; names, descriptions and metadata are lost.</summary>
    public required IReadOnlyList<Guid> RecordsRebuilt { get; init; }

    /// <summary>Backups that are in error now, because something that they need is damaged or gone; each record says what and which bytes of the volume.</summary>
    public required IReadOnlyList<Guid> BackupsMarked { get; init; }

    /// <summary>Gets the backups that were in error and are available again, because all of their data is there and intact.</summary>
    public IReadOnlyList<Guid> BackupsCleared { get; init; } = [];

    /// <summary>What was found damaged.</summary>
    public required IReadOnlyList<VerifyFinding> Findings { get; init; }

    /// <summary>Gets the backups whose times are later than the store's clock was when they were stored (<see cref="Backup.HasFutureTimestamp"/>); they were left as they are.</summary>
    public IReadOnlyList<Guid> FutureTimestamps { get; init; } = [];

    /// <summary>What it took of what operations share.</summary>
    public OperationStatistics? Statistics { get; init; }
}
