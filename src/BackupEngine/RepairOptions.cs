using BackupEngine.Limits;

namespace BackupEngine;

/// <summary>How a repair shares with other operations.</summary>
public sealed record RepairOptions
{
    /// <summary>Workers that fetch and check, 1 to 256. Null: by the processors.</summary>
    public int? Workers { get; init; }

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>. Default: low.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.Low;

    /// <summary>Pauses and resumes the look at all data. Null: it cannot be paused.</summary>
    public PauseSwitch? Pause { get; init; }
}
