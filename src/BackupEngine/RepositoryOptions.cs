using BackupEngine.Limits;
using Microsoft.Extensions.Logging;

namespace BackupEngine;

/// <summary>What a repository needs from its host; the defaults need nothing.</summary>
public sealed record RepositoryOptions
{
    /// <summary>Where logs go. Default: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>The clock of record times. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>What operations may use; the same object can be given to any number of repositories. Null: each operation keeps to its own options only.</summary>
    public OperationLimits? Limits { get; init; }

    /// <summary>
    /// Gets a value that indicates whether a store that does not honour conditional puts may be written to. By it the caller promises that no other process writes to the
    /// repository, for as long as this one does. On such a store nothing is possible that depends on conditions: no adoption of interrupted backups, no prune, and no delete
    /// or repair while the repository holds an intent or a deletion mark. On a store that honours conditions it changes nothing. Default: false, and such a store is refused with an
    /// <see cref="ObjectStores.UnsupportedObjectStoreException"/> before the first write.
    /// </summary>
    public bool SingleWriter { get; init; }
}
