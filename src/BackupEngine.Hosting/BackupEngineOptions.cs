using BackupEngine.Limits;

namespace BackupEngine.Hosting;

/// <summary>The engine's settings in a host: usually the section <c>BackupEngine</c> of its configuration.</summary>
public sealed record BackupEngineOptions
{
    /// <summary>Name of the usual section.</summary>
    public const string Section = "BackupEngine";

    /// <summary>The directory that holds the backups. Null when the host opens a store of its own.</summary>
    public string? Directory { get; set; }

    /// <summary>
    /// Whether a missing directory, and a repository in an empty store, are made. Default: true. False where the directory is a mount point:
    /// backups then fail while nothing is mounted, instead of beginning anew on the disk below.
    /// </summary>
    public bool Create { get; set; } = true;

    /// <summary>
    /// Gets or sets a value that indicates whether a store that does not honour conditional puts may be written to; see <see cref="RepositoryOptions.SingleWriter"/>. Default: false.
    /// </summary>
    public bool SingleWriter { get; set; }

    /// <summary>What all operations may use together. Default: no limits.</summary>
    public OperationLimitOptions Limits { get; set; } = new();
}
