namespace BackupEngine.ObjectStores;

/// <summary>What a store tells of an object without its content.</summary>
/// <param name="Key">The object's key.</param>
/// <param name="SizeBytes">The object's length in bytes.</param>
/// <param name="LastModified">When it was stored, by the store's own clock.</param>
public readonly record struct ObjectInfo(string Key, long SizeBytes, DateTimeOffset LastModified);
