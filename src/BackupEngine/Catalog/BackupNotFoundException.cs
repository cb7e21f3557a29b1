namespace BackupEngine.Catalog;

/// <summary>There is no such backup.</summary>
public sealed class BackupNotFoundException : BackupEngineException
{
    internal BackupNotFoundException(string message)
        : base(message)
    {
    }
}
