namespace BackupEngine.Service.Catalog;

/// <summary>A backup as the catalog knows it. <see cref="Status"/> is the truth about where it is; jobs only act on it.</summary>
internal sealed class BackupRow
{
    public required string Id { get; init; }

    /// <summary>The owner; empty for a backup that no project made through this service: administrators see it.</summary>
    public required string ProjectId { get; set; }

    public required string UserId { get; set; }

    public string? Name { get; set; }

    public string? Description { get; set; }

    public required string Status { get; set; }

    public string? FailReason { get; set; }

    /// <summary>Size of the volume in GiB, rounded up.</summary>
    public long Size { get; set; }

    /// <summary>Size of the volume in bytes; 0 until it is known.</summary>
    public long SizeBytes { get; set; }

    public int ObjectCount { get; set; }

    public string? AvailabilityZone { get; set; }

    public string? Container { get; set; }

    public required DateTime CreatedAt { get; set; }

    public DateTime? UpdatedAt { get; set; }

    public DateTime? DataTimestamp { get; set; }

    /// <summary>The backup's place in the order of its volume, in ticks (<see cref="BackupEngine.Catalog.Backup.OrderedAt"/>); null until it is known. No clock of a server counts for it.</summary>
    public long? OrderTicks { get; set; }

    public required string VolumeId { get; set; }

    public string? SnapshotId { get; set; }

    public string? ParentId { get; set; }

    public string? EncryptionKeyId { get; set; }

    /// <summary>The caller's names and values, as a JSON object.</summary>
    public string Metadata { get; set; } = "{}";

    /// <summary>A snapshot that was taken only to be read by the job; null when the volume is read itself.</summary>
    public string? TempSnapshotId { get; set; }

    /// <summary>The volume that was last restored to.</summary>
    public string? RestoreVolumeId { get; set; }

    /// <summary>Whether the container holds the backup, whatever became of its status since, or holds it soon: what it holds of this id is this row's.</summary>
    public bool IsCommitted { get; set; }

    /// <summary>An imported record until its import is done.</summary>
    public string? ImportedRecord { get; set; }

    /// <summary>The job that is to bring <see cref="Status"/> to its next rest; null at rest.</summary>
    public string? JobId { get; set; }

    public string? JobKind { get; set; }

    /// <summary>The job that works on the backup at this moment. Differs from <see cref="JobId"/> while a cancelled job still winds up.</summary>
    public string? RunningJobId { get; set; }

    public long ProgressDone { get; set; }

    public long ProgressTotal { get; set; }

    public long ProgressRead { get; set; }

    public long ProgressChanged { get; set; }

    public long ProgressStored { get; set; }

    /// <summary><see cref="Status"/> before the deletion was asked for: it keeps the backup where it stood in lists.</summary>
    public string? StatusBefore { get; set; }

    /// <summary>As <see cref="StatusBefore"/>, of <see cref="UpdatedAt"/>.</summary>
    public DateTime? UpdatedBefore { get; set; }

    /// <summary>When the backup was deleted. The row stays for a while so that lists can be paged past it.</summary>
    public DateTime? DeletedAt { get; set; }
}
