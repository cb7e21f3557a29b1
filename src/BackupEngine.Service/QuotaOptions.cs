namespace BackupEngine.Service;

/// <summary>What a project may have at most; -1 for no limit, which is the default of each.</summary>
public sealed record QuotaOptions
{
    /// <summary>Backups.</summary>
    public long Backups { get; init; } = -1;

    /// <summary>Sum of the backups' volume sizes, in GiB.</summary>
    public long BackupGigabytes { get; init; } = -1;

    /// <summary>Volumes.</summary>
    public long Volumes { get; init; } = -1;

    /// <summary>Sum of the volumes' and snapshots' sizes, in GiB.</summary>
    public long Gigabytes { get; init; } = -1;

    /// <summary>Snapshots.</summary>
    public long Snapshots { get; init; } = -1;
}
