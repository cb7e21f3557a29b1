namespace BackupEngine.Catalog;

/// <summary>A backup cannot be deleted because incrementals descend from it, or one is being written right now.</summary>
public sealed class BackupHasDependentsException : BackupEngineException
{
    internal BackupHasDependentsException(Guid backupId, IReadOnlyList<Guid> dependents, string message)
        : base(message)
    {
        BackupId = backupId;
        Dependents = dependents;
    }

    /// <summary>The backup that was to be deleted.</summary>
    public Guid BackupId { get; }

    /// <summary>The backups that name it as their parent.</summary>
    public IReadOnlyList<Guid> Dependents { get; }
}
