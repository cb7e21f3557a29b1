using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>What the server tells of one object; the id is that of the put on a condition, if such a one stored it.</summary>
internal sealed record S3Head(ObjectInfo Info, string? PutId);
