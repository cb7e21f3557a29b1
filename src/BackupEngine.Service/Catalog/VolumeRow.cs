namespace BackupEngine.Service.Catalog;

/// <summary>A volume as the catalog knows it; its bytes are with a volume provider.</summary>
internal sealed class VolumeRow
{
    public required string Id { get; init; }

    /// <summary>The owner; empty for a volume that was found and that no project is configured to own: administrators see it.</summary>
    public required string ProjectId { get; set; }

    public required string UserId { get; set; }

    /// <summary>The provider that holds the bytes.</summary>
    public required string Provider { get; set; }

    public string? Name { get; set; }

    public string? Description { get; set; }

    public required string Status { get; set; }

    /// <summary>What <see cref="Status"/> goes back to when <see cref="BusyJobId"/> ends.</summary>
    public string? PreviousStatus { get; set; }

    /// <summary>The job that keeps the volume busy; null when none does.</summary>
    public string? BusyJobId { get; set; }

    /// <summary>Size in GiB, rounded up.</summary>
    public long Size { get; set; }

    public long SizeBytes { get; set; }

    public string? AvailabilityZone { get; set; }

    public required DateTime CreatedAt { get; set; }

    public DateTime? UpdatedAt { get; set; }

    public string? SnapshotId { get; set; }

    /// <summary>Names and values, as a JSON object.</summary>
    public string Metadata { get; set; } = "{}";
}
