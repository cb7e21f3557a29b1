using BackupEngine.Limits;
using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>What to restore, and how.</summary>
public sealed record RestoreOptions
{
    /// <summary>Whether to read the target first and write only the chunks that differ. Default: false, which writes all.</summary>
    public bool Differential { get; init; }

    /// <summary>The bytes to restore, to the same place in the target. Null: the whole volume.</summary>
    public VolumeExtent? Range { get; init; }

    /// <summary>
    /// Gets what to do about damaged or missing data. With <see cref="DamagedData.Skip"/> or <see cref="DamagedData.Zero"/> everything else is restored, also of a backup in error
    /// with a readable manifest, and <see cref="RestoreResult.LostRanges"/> lists what is lost. Default: <see cref="DamagedData.Fail"/>.
    /// </summary>
    public DamagedData Damaged { get; init; }

    /// <summary>Workers that fetch, decode, check and write, 1 to 256. Null: by the processors.</summary>
    public int? Workers { get; init; }

    /// <summary>Bound on the memory for buffers, in bytes, from 16 MiB. Default: 192 MiB.</summary>
    public long MaxMemoryBytes { get; init; } = 192L << 20;

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>. Default: high.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.High;

    /// <summary>Pauses and resumes the operation. Null: it cannot be paused.</summary>
    public PauseSwitch? Pause { get; init; }
}
