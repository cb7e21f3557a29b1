namespace BackupEngine.ObjectStores;

/// <summary>What <see cref="ObjectStoreProbe"/> found out about an object store.</summary>
public sealed class ObjectStoreReport
{
    internal ObjectStoreReport()
    {
    }

    /// <summary>Gets the name of the store.</summary>
    public string StoreName { get; internal init; } = "";

    /// <summary>Gets a value that indicates whether the container holds a repository.</summary>
    public bool HoldsRepository { get; internal init; }

    /// <summary>Gets the checks that were made.</summary>
    public IReadOnlyList<ObjectStoreCheck> Checks { get; internal init; } = [];

    /// <summary>Gets what the store has learned about its server, by name; empty for stores that do not implement <see cref="IDescribedObjectStore"/>.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; internal init; } = new Dictionary<string, string>();

    /// <summary>Gets the properties of a store that the engine relies on and that no probe can check, one sentence each.</summary>
    public IReadOnlyList<string> NotChecked { get; internal init; } = [];

    /// <summary>Gets a value that indicates whether any number of processes can use the store at once: no check found a behaviour missing.</summary>
    public bool IsSafe => Checks.All(check => check.Result != ObjectStoreCheckResult.Missing);

    /// <summary>Gets the checks that found a behaviour missing.</summary>
    internal IEnumerable<ObjectStoreCheck> Missing => Checks.Where(check => check.Result == ObjectStoreCheckResult.Missing);

    /// <summary>Gets a value that indicates whether a feature was found missing.</summary>
    internal bool Lacks(params ReadOnlySpan<ObjectStoreFeature> features)
    {
        foreach (ObjectStoreCheck check in Missing)
        {
            if (features.Contains(check.Feature))
                return true;
        }

        return false;
    }
}
