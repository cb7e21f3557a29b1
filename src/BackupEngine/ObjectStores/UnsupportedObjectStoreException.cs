namespace BackupEngine.ObjectStores;

/// <summary>
/// The object store does not honour the conditions that the engine relies on, so nothing was written. See <see cref="RepositoryOptions.SingleWriter"/> for using such a store anyway.
/// </summary>
public sealed class UnsupportedObjectStoreException : BackupEngineException
{
    internal UnsupportedObjectStoreException(string message, ObjectStoreReport report)
        : base(message) => Report = report;

    /// <summary>Gets what was found out about the store.</summary>
    public ObjectStoreReport Report { get; }

    /// <summary>Creates the error of a write that would rely on conditions the store does not honour.</summary>
    internal static UnsupportedObjectStoreException ForWrite(ObjectStoreReport report) => new(
        $"{report.StoreName} cannot be written to safely: {Describe(report)}. Another process could overwrite or delete what this one stores. "
        + "Use a store that honours If-None-Match and If-Match, or, if only one process ever writes to it, single-writer mode.",
        report);

    /// <summary>Creates the error of an operation that single-writer mode does not allow.</summary>
    internal static UnsupportedObjectStoreException ForOperation(string operation, ObjectStoreReport report) => new(
        $"{operation} is not possible in single-writer mode on {report.StoreName}, which does not honour conditions: {Describe(report)}. Use a store that does.", report);

    private static string Describe(ObjectStoreReport report) => string.Join("; ", report.Missing.Select(check => check.Detail));
}
