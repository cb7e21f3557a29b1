namespace BackupEngine.Catalog;

/// <summary>The operation does not fit the state that a backup or its chain is in: not available, no parent, another chunk size, an id that is taken.</summary>
public sealed class BackupStateException : BackupEngineException
{
    internal BackupStateException(string message)
        : base(message)
    {
    }
}
