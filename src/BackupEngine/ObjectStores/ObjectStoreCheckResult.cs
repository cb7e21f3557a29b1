namespace BackupEngine.ObjectStores;

/// <summary>Result of one check of an object store.</summary>
public enum ObjectStoreCheckResult
{
    /// <summary>The store behaves as required.</summary>
    Supported,

    /// <summary>The store does not behave as required.</summary>
    Missing,

    /// <summary>The check could not be made; the detail says why.</summary>
    NotChecked,
}
