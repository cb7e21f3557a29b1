namespace BackupEngine.ObjectStores;

/// <summary>How a <see cref="DirectoryObjectStore"/> uses its directory.</summary>
public sealed record DirectoryObjectStoreOptions
{
    /// <summary>The directory that holds the objects.</summary>
    public required string Path { get; init; }

    /// <summary>Whether a finished put survives a power failure: file and directories are forced to disk. Default: true.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>Whether a missing directory is made when the store is constructed. Default: true. It is never made later: a directory that vanishes (a disk unmounted) is an error.</summary>
    public bool Create { get; init; } = true;

    /// <summary>The clock by which files that a crash left half-written are old enough to be removed. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
