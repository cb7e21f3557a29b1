using BackupEngine.Diagnostics;

namespace BackupEngine.Catalog;

/// <summary>Somebody who is writing or deleting a backup, or died over it.</summary>
/// <param name="BackupId">The backup.</param>
/// <param name="VolumeId">Its volume.</param>
/// <param name="Host">The machine; null when not known.</param>
/// <param name="ProcessId">The process there; null when not known.</param>
/// <param name="Since">Since when, by the store's clock.</param>
public sealed record PruneIntent(Guid BackupId, string VolumeId, string? Host, int? ProcessId, DateTimeOffset Since);

/// <summary>What a prune removed, or, when it only looked, would remove.</summary>
public sealed record PruneReport
{
    /// <summary>Whether nothing was really removed.</summary>
    public required bool DryRun { get; init; }

    /// <summary>Backups that no rule keeps, and those whose deletion had been cut off.</summary>
    public required IReadOnlyList<Guid> BackupsRemoved { get; init; }

    /// <summary>Backups that are left.</summary>
    public required int BackupsKept { get; init; }

    /// <summary>Gets the data that no backup refers to and of whose deletion nothing is known; kept, unless <see cref="PruneOptions.RemoveOrphans"/> is set and it is old enough.</summary>
    public IReadOnlyList<UnreferencedData> Unreferenced { get; init; } = [];

    /// <summary>Manifests removed, with their backups or without one.</summary>
    public required long ManifestsRemoved { get; init; }

    /// <summary>Packs removed.</summary>
    public required long PacksRemoved { get; init; }

    /// <summary>Bytes of the manifests and packs removed.</summary>
    public required long BytesRemoved { get; init; }

    /// <summary>Packs that were emptied because little in them is still needed; they are among those removed, unless something else came to need them.</summary>
    public long PacksRepacked { get; init; }

    /// <summary>Bytes of packs and manifests that were stored in their place; when it only looked, about as many. What is gained is <see cref="BytesRemoved"/> less this.</summary>
    public long BytesRepacked { get; init; }

    /// <summary>Intents of the dead, or broken, that were removed.</summary>
    public required IReadOnlyList<PruneIntent> IntentsRemoved { get; init; }

    /// <summary>Those who may be at work; nothing that they need was touched.</summary>
    public required IReadOnlyList<PruneIntent> IntentsLeft { get; init; }

    /// <summary>What was to be removed and is left, and why.</summary>
    public required IReadOnlyList<string> Kept { get; init; }

    /// <summary>What it took of what operations share.</summary>
    public OperationStatistics? Statistics { get; init; }
}
