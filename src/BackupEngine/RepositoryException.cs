namespace BackupEngine;

/// <summary>The store holds no repository, or one that this version cannot use; the message says which and what to do.</summary>
public sealed class RepositoryException : BackupEngineException
{
    internal RepositoryException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>Whether there is no repository at all: it can be made there, or the place is the wrong one.</summary>
    public bool IsMissing { get; internal init; }
}
