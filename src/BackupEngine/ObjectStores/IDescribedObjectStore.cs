namespace BackupEngine.ObjectStores;

/// <summary>Implemented by an <see cref="IObjectStore"/> that knows which server it uses and what it has learned about it. Optional.</summary>
public interface IDescribedObjectStore
{
    /// <summary>
    /// Gets a text that is equal for all store objects that use the same container of the same server. The engine checks such a container once in the life of the process.
    /// </summary>
    string ServerId { get; }

    /// <summary>Gets what the store has learned about its server, for display: names in <c>snake_case</c> and values.</summary>
    IReadOnlyDictionary<string, string> ServerProperties { get; }
}
