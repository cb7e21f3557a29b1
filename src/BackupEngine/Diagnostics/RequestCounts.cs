namespace BackupEngine.Diagnostics;

/// <summary>Calls made to an object store, by kind.</summary>
/// <param name="Put">Objects stored.</param>
/// <param name="Get">Ranges read.</param>
/// <param name="Head">Single objects asked about.</param>
/// <param name="List">Listings begun.</param>
/// <param name="Delete">Batches deleted.</param>
public readonly record struct RequestCounts(long Put, long Get, long Head, long List, long Delete);
