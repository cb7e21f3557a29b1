namespace BackupEngine.ObjectStores;

/// <summary>One check of an object store.</summary>
public sealed class ObjectStoreCheck
{
    internal ObjectStoreCheck(ObjectStoreFeature feature, ObjectStoreCheckResult result, string detail)
    {
        Feature = feature;
        Result = result;
        Detail = detail;
    }

    /// <summary>Gets the behaviour that was checked.</summary>
    public ObjectStoreFeature Feature { get; }

    /// <summary>Gets the result.</summary>
    public ObjectStoreCheckResult Result { get; }

    /// <summary>Gets a description of what the store did, which completes a sentence about the store.</summary>
    public string Detail { get; }
}
