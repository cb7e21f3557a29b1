using BackupEngine.Diagnostics;

namespace BackupEngine.Catalog;

/// <summary>What a repair changed.</summary>
public sealed record RepairReport
{
    /// <summary>Backups whose records could not be read and were made anew from their manifests; names, descriptions and metadata are lost.</summary>
    public required IReadOnlyList<Guid> RecordsRebuilt { get; init; }

    /// <summary>Backups that are in error now, because something that they need is damaged or gone; each record says what and which bytes of the volume.</summary>
    public required IReadOnlyList<Guid> BackupsMarked { get; init; }

    /// <summary>What was found damaged.</summary>
    public required IReadOnlyList<VerifyFinding> Findings { get; init; }

    /// <summary>What it took of what operations share.</summary>
    public OperationStatistics? Statistics { get; init; }
}
