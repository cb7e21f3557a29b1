namespace BackupEngine;

/// <summary>Base of every error that the engine reports on purpose.</summary>
public abstract class BackupEngineException : Exception
{
    private protected BackupEngineException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether the same call may succeed if it is simply made again later.</summary>
    public virtual bool IsTransient => false;
}
