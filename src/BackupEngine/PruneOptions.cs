using BackupEngine.Limits;

namespace BackupEngine;

/// <summary>
/// What to keep. Each rule keeps, of each of the last so many days, weeks or months that have a backup, the one that was stored last. Days are those of the data timestamps in UTC;
/// a data timestamp that is later than the store's clock does not count. The backup of a volume that was stored last is always kept; what no rule keeps is removed, from anywhere
/// in a chain. Without any rule all backups are kept, and only what none of them needs is removed.
/// </summary>
public sealed record PruneOptions
{
    /// <summary>Only this volume. Null: all.</summary>
    public string? VolumeId { get; init; }

    /// <summary>Keeps the backups of each volume that were stored last, at least 1. Null: no such rule.</summary>
    public int? KeepLast { get; init; }

    /// <summary>Keeps one backup a day for so many days, at least 1. Null: no such rule.</summary>
    public int? KeepDaily { get; init; }

    /// <summary>Keeps one backup a week (as ISO 8601 counts) for so many weeks, at least 1. Null: no such rule.</summary>
    public int? KeepWeekly { get; init; }

    /// <summary>Keeps one backup a month for so many months, at least 1. Null: no such rule.</summary>
    public int? KeepMonthly { get; init; }

    /// <summary>
    /// Empties packs of which less than this percentage is still needed, when storing that anew costs less than the pack; more than 0, less than 100. Null: none, so
    /// a pack stays until nothing in it is needed. Backups get new manifests by it, so records that were exported before cannot be imported any more: export them again.
    /// </summary>
    public double? RepackBelowPercent { get; init; }

    /// <summary>Whether to only say what would be removed. Default: false.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// Gets a value that indicates whether intents and marks are also removed that were not refreshed for <see cref="IntentAge"/>. A writer that is active after all then fails;
    /// nothing that was committed is lost. Those of processes that have exited, and those that are stale (<see cref="RepositoryOptions.IntentStaleAfter"/>), are removed without it.
    /// Default: false.
    /// </summary>
    public bool BreakIntents { get; init; }

    /// <summary>Gets the time without a refresh, by the store's clock, after which <see cref="BreakIntents"/> removes an intent or mark. Default: one day.</summary>
    public TimeSpan IntentAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Gets a value that indicates whether to remove data that no backup refers to although nothing says that it was to be removed (<see cref="Catalog.PruneReport.Unreferenced"/>),
    /// when it is older than <see cref="OrphanAge"/>. Default: false, which reports and keeps it.
    /// </summary>
    public bool RemoveOrphans { get; init; }

    /// <summary>Gets how old, by the store's clock, unreferenced data must be for <see cref="RemoveOrphans"/> to remove it. Default: 7 days.</summary>
    public TimeSpan OrphanAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// Gets the volumes that are pruned although they have manifests and no record of any backup. Without it a prune refuses such a volume, because its records may have been
    /// lost: a repair rebuilds them. Default: none.
    /// </summary>
    public IReadOnlyCollection<string> VolumesWithoutRecords { get; init => field = value ?? []; } = [];

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>, which only repacking needs. Default: low.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.Low;

    /// <summary>
    /// Pauses and resumes the operation; from its last look at who is at work until all is removed it does not pause. Others are refused meanwhile what it said that it
    /// removes. Null: it cannot be paused.
    /// </summary>
    public PauseSwitch? Pause { get; init; }

    internal bool HasRules => (KeepLast ?? KeepDaily ?? KeepWeekly ?? KeepMonthly) is not null;
}
