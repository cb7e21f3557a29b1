namespace BackupEngine.ObjectStores;

/// <summary>Why an object store refused or failed.</summary>
public enum ObjectStoreError
{
    /// <summary>The store failed in a way that trying again will not mend.</summary>
    Failed,

    /// <summary>There is no such object.</summary>
    NotFound,

    /// <summary>The key is taken, and the put was not to replace.</summary>
    AlreadyExists,

    /// <summary>The container (bucket or directory) does not exist.</summary>
    ContainerNotFound,

    /// <summary>Credentials or permissions do not allow it.</summary>
    AccessDenied,

    /// <summary>No space or quota is left.</summary>
    OutOfSpace,

    /// <summary>The store did not answer, was overloaded, or broke off: the same call may succeed later.</summary>
    Unavailable,

    /// <summary>The object is another than the put was to replace, or is gone.</summary>
    Changed,
}
