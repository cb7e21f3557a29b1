namespace BackupEngine.ObjectStores;

/// <summary>Whether a put may replace an object.</summary>
public enum PutCondition
{
    /// <summary>Stores the object, in place of any that has its key.</summary>
    None,

    /// <summary>Stores the object only when its key is free; decided by the store, atomically.</summary>
    IfAbsent,
}
