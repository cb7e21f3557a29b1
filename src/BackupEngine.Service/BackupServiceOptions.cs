using BackupEngine.Limits;

namespace BackupEngine.Service;

/// <summary>The service's settings: the section <c>BackupService</c> of its configuration file.</summary>
public sealed record BackupServiceOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "BackupService";

    /// <summary>How callers prove who they are.</summary>
    public AuthMode Auth { get; init; } = AuthMode.NoAuth;

    /// <summary>The tokens of <see cref="AuthMode.Tokens"/>.</summary>
    public IReadOnlyList<StaticTokenOptions> Tokens { get; init; } = [];

    /// <summary>The identity service of <see cref="AuthMode.Keystone"/>.</summary>
    public KeystoneOptions Keystone { get; init; } = new();

    /// <summary>The most items in one answer to a list. Default: 1000.</summary>
    public int MaxListItems { get; init; } = 1000;

    /// <summary>The most bytes in a request's body. Default: 112 KiB.</summary>
    public int MaxBodyBytes { get; init; } = 114_688;

    /// <summary>Backups, restores and deletes that run at once on this server; the others wait. Default: 2.</summary>
    public int MaxConcurrentJobs { get; init; } = 2;

    /// <summary>What backups and restores may take of memory, processors, disks and network together. Default: no limits.</summary>
    public OperationLimitOptions Limits { get; init; } = new();

    /// <summary>Limits of a project for which an administrator set none; -1 for no limit.</summary>
    public QuotaOptions Quotas { get; init; } = new();

    /// <summary>The availability zone that volumes are said to be in. Default: <c>nova</c>.</summary>
    public string AvailabilityZone { get; init; } = "nova";

    /// <summary>The project that owns volumes found in the volumes' directory and among <see cref="Devices"/>. Null: nobody does, and administrators see them.</summary>
    public string? FoundVolumesProject { get; init; }

    /// <summary>Block devices that are volumes.</summary>
    public IReadOnlyList<DeviceOptions> Devices { get; init; } = [];

    /// <summary>Whether whoever forces a backup of an in-use volume has quiesced it, so that it may be read without a snapshot.</summary>
    public bool InUseVolumesAreQuiesced { get; init; }

    /// <summary>How new chunks are compressed: <c>none</c>, <c>lz4</c>, <c>zstd</c> or <c>zstd:LEVEL</c>. Default: LZ4.</summary>
    public string Compression { get; init; } = "lz4";

    /// <summary>Gets a value that indicates whether a store that does not honour conditional puts may be written to; see <see cref="RepositoryOptions.SingleWriter"/>. Default: false.</summary>
    public bool SingleWriter { get; init; }

    /// <summary>What answers call the container of backups for which nobody named one: where it really is, is nobody's business. Default: <c>backups</c>.</summary>
    public string ContainerName { get; init; } = "backups";

    /// <summary>How often it is checked whether the container still holds what the catalog lists, in hours. Default: 24.</summary>
    public double ContainerCheckHours { get; init; } = 24;

    /// <summary>How long a deleted backup can still be named as the marker of a list, in hours. Default: 24.</summary>
    public double DeletedMarkerHours { get; init; } = 24;
}
