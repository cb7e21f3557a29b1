using BackupEngine.Limits;

namespace BackupEngine;

/// <summary>How a repair shares with other operations.</summary>
public sealed record RepairOptions
{
    /// <summary>
    /// Gets a value that indicates whether to mark backups as damaged also in a volume of which no pack is left. Without it a repair refuses that and changes nothing, because
    /// the store is most likely not completely mounted or copied. Default: false.
    /// </summary>
    public bool AcceptMissingPacks { get; init; }

    /// <summary>Workers that fetch and check, 1 to 256. Null: by the processors.</summary>
    public int? Workers { get; init; }

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>. Default: low.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.Low;

    /// <summary>Pauses and resumes the look at all data. Null: it cannot be paused.</summary>
    public PauseSwitch? Pause { get; init; }
}
