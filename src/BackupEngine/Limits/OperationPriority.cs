namespace BackupEngine.Limits;

/// <summary>Who goes first when operations wait for workers and memory. What runs is never interrupted.</summary>
public enum OperationPriority
{
    /// <summary>After all others: the default of verifications.</summary>
    Low = -1,

    /// <summary>The default of backups.</summary>
    Normal = 0,

    /// <summary>Before all others: the default of restores.</summary>
    High = 1,
}
