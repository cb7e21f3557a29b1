using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>A page of a listing, and where the next begins; null after the last.</summary>
internal sealed record S3Page(IReadOnlyList<ObjectInfo> Objects, string? Continuation);
