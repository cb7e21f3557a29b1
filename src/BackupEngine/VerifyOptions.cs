namespace BackupEngine;

/// <summary>What to verify, and how thoroughly.</summary>
public sealed record VerifyOptions
{
    /// <summary>The backup to look at. Null: all of them.</summary>
    public Guid? BackupId { get; init; }

    /// <summary>Whether to read and check every byte that the backups refer to, not only that the objects are there and of the right size.</summary>
    public bool Deep { get; init; }
}
