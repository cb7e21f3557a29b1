using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore.Query;

namespace BackupEngine.Service.Jobs;

/// <summary>How the catalog looks after a job.</summary>
/// <param name="Status">The backup's status.</param>
internal sealed record JobOutcome(string Status)
{
    /// <summary>What else changes in the backup.</summary>
    public Action<UpdateSettersBuilder<BackupRow>>? SetBackup { get; init; }

    /// <summary>The status of the volume that the job kept busy. Null: the one that it had before.</summary>
    public string? VolumeStatus { get; init; }

    /// <summary>What else changes in that volume.</summary>
    public Action<UpdateSettersBuilder<VolumeRow>>? SetVolume { get; init; }
}
