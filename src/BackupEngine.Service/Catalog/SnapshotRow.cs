namespace BackupEngine.Service.Catalog;

/// <summary>A snapshot of a volume as the catalog knows it.</summary>
internal sealed class SnapshotRow
{
    public required string Id { get; init; }

    public required string ProjectId { get; set; }

    public required string VolumeId { get; set; }

    public string? Name { get; set; }

    public string? Description { get; set; }

    public required string Status { get; set; }

    public string? PreviousStatus { get; set; }

    public string? BusyJobId { get; set; }

    public long Size { get; set; }

    public required DateTime CreatedAt { get; set; }

    public DateTime? UpdatedAt { get; set; }

    public string Metadata { get; set; } = "{}";
}
