using BackupEngine.Limits;

namespace BackupEngine;

/// <summary>What to verify, and how thoroughly.</summary>
public sealed record VerifyOptions
{
    /// <summary>The backup to look at. Null: all of them.</summary>
    public Guid? BackupId { get; init; }

    /// <summary>The volume whose backups to look at. Null: all.</summary>
    public string? VolumeId { get; init; }

    /// <summary>Whether to read and check every byte that the backups refer to, not only that the objects are there and of the right size. Default: false.</summary>
    public bool Deep { get; init; }

    /// <summary>With <see cref="Deep"/>: how many percent of the pages of the maps, drawn at random, to look at with all chunks that they map; above 0, to 100. Default: 100.</summary>
    public double SamplePercent { get; init; } = 100;

    /// <summary>
    /// Only backups made at this moment or later; a deep look reads what they added, and takes what they share with earlier ones as checked. A verification that
    /// was cut off goes on so. Null: all.
    /// </summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>With <see cref="Deep"/>: workers that fetch and check, 1 to 256. Null: by the processors.</summary>
    public int? Workers { get; init; }

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>. Default: low.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.Low;

    /// <summary>Pauses and resumes the operation. Null: it cannot be paused.</summary>
    public PauseSwitch? Pause { get; init; }
}
