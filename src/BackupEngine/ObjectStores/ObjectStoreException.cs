namespace BackupEngine.ObjectStores;

/// <summary>An object store refused or failed; the message names the store, the key and the store's own words.</summary>
public sealed class ObjectStoreException : BackupEngineException
{
    /// <summary>Makes the error.</summary>
    /// <param name="error">What kind of failure it is.</param>
    /// <param name="key">The key of the call, or null when it had none.</param>
    /// <param name="message">One line for a person: what was tried, on what, and what the store said.</param>
    /// <param name="innerException">The store's own error.</param>
    public ObjectStoreException(ObjectStoreError error, string? key, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
        Key = key;
    }

    /// <summary>What kind of failure it is.</summary>
    public ObjectStoreError Error { get; }

    /// <summary>The key of the call, or null when it had none.</summary>
    public string? Key { get; }

    /// <inheritdoc/>
    public override bool IsTransient => Error == ObjectStoreError.Unavailable;
}
