using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>Returns what the store supports when it lacks something that the operation may depend on; null when it lacks nothing, or the first write will find out.</summary>
    private async ValueTask<ObjectStoreReport?> FindLackingAsync(CancellationToken cancellationToken)
    {
        // Without single-writer mode, the first write to such a store fails anyway, and operations that write nothing need no probe.
        if (!_singleWriter)
            return null;
        ObjectStoreReport report = await _store.GetReportAsync(cancellationToken).ConfigureAwait(false);
        return report.IsSafe ? null : report;
    }

    /// <summary>
    /// On a store that does not honour conditions, records can be changed only while nobody else is active: a write of another process that arrives late would not be refused.
    /// </summary>
    /// <exception cref="UnsupportedObjectStoreException">The repository holds an intent or a deletion mark.</exception>
    private async Task RequireAloneAsync(string operation, CancellationToken cancellationToken)
    {
        if (await FindLackingAsync(cancellationToken).ConfigureAwait(false) is not { } report)
            return;
        IntentListing active = await _intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        if (active.Intents is [Intent intent, ..])
            throw UnsupportedObjectStoreException.ForOperation($"{operation} beside {intent}", report);
        if (active.Deletions is [Deletion deletion, ..])
            throw UnsupportedObjectStoreException.ForOperation($"{operation} beside the deletion of {deletion.DataId}{deletion.Describe()}", report);
    }
}
