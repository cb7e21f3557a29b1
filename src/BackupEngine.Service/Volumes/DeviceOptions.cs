namespace BackupEngine.Service;

/// <summary>A block device that is a volume.</summary>
public sealed record DeviceOptions
{
    /// <summary>The volume's id.</summary>
    public Guid Id { get; init; }

    /// <summary>The device's path.</summary>
    public string Path { get; init; } = "";

    /// <summary>A name for people.</summary>
    public string? Name { get; init; }
}
