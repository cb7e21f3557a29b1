using BackupEngine.Service.Catalog;

namespace BackupEngine.Service.Jobs;

/// <summary>The part of a job that is its own: what it does, and how the catalog looks after it.</summary>
internal interface IBackupWork
{
    string Kind { get; }

    /// <summary>Does the work.</summary>
    /// <returns>How the catalog looks when it is done.</returns>
    Task<JobOutcome> RunAsync(BackupRow backup, IProgress<BackupProgress> progress, CancellationToken cancellationToken);

    /// <summary>How the catalog looks when the work failed, or was cut off.</summary>
    JobOutcome Failed(BackupRow backup, string reason);

    /// <summary>How the catalog looks after work that was found cut off, and is not done again.</summary>
    Task<JobOutcome> CutOffAsync(BackupRow backup, string reason, CancellationToken cancellationToken) => Task.FromResult(Failed(backup, reason));

    /// <summary>Whether work that was cut off by the end of the service is done again at its next start.</summary>
    bool IsRepeatable { get; }
}
