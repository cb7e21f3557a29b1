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

    /// <summary>
    /// Gets the time between two refreshes of an operation's intent or marks, which show other processes that it is active; above zero. Default: 5 minutes.
    /// </summary>
    public TimeSpan IntentRefreshInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets the time without a refresh, by the store's clock, after which other processes' intents and marks are considered stale; at least twice
    /// <see cref="IntentRefreshInterval"/>, of every process that uses the container. An operation whose intent is considered stale fails, and loses nothing that was committed.
    /// Default: 1 hour.
    /// </summary>
    public TimeSpan IntentStaleAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The process that intents name; another than the one that runs only in tests.</summary>
    internal Catalog.LocalWriters Writers { get; init; } = Catalog.LocalWriters.Current;

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
