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
}
