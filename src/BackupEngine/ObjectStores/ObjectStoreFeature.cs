namespace BackupEngine.ObjectStores;

/// <summary>Behaviour of an object store that <see cref="ObjectStoreProbe"/> checks.</summary>
public enum ObjectStoreFeature
{
    /// <summary>The store refuses a put on the condition that the key is free when the key is taken. Required.</summary>
    PutIfAbsent,

    /// <summary>The store accepts a replacement on the condition that the object is unchanged when it is unchanged. Required.</summary>
    ReplaceIfUnchanged,

    /// <summary>The store refuses a replacement on the condition that the object is unchanged when it was changed. Required.</summary>
    RefuseIfChanged,

    /// <summary>The store refuses a replacement on the condition that the object is unchanged when there is no object. Required.</summary>
    RefuseIfMissing,

    /// <summary>The store deletes objects.</summary>
    Delete,

    /// <summary>The store lets exactly one of several simultaneous puts of a free key succeed. Required.</summary>
    SimultaneousPuts,

    /// <summary>A finished put or delete is seen by the next read, range read, head and list. Required.</summary>
    ReadAfterWrite,
}
