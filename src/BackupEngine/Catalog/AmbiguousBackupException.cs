namespace BackupEngine.Catalog;

/// <summary>A shortened id fits several backups, or <c>latest</c> several volumes.</summary>
public sealed class AmbiguousBackupException : BackupEngineException
{
    internal AmbiguousBackupException(string message)
        : base(message)
    {
    }
}
