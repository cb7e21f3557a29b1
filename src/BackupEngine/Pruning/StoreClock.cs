using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pruning;

/// <summary>Asks a store for its time: objects are dated by that clock, so only that clock tells their age.</summary>
internal static class StoreClock
{
    /// <summary>Puts a mark, asks when it was stored, and deletes it: three requests.</summary>
    /// <returns>The store's time; the local time when the store does not tell times.</returns>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<DateTimeOffset> ReadAsync(IObjectStore store, IntentStore intents, TimeProvider time, CancellationToken cancellationToken)
    {
        Backup nobody = RecordStore.CreateStub("clock", Guid.NewGuid(), BackupStatus.Deleting, null);
        string key = await intents.PutDeletionAsync(nobody, Guid.NewGuid(), cancellationToken).ConfigureAwait(false);
        ObjectInfo? info = await store.HeadAsync(key, cancellationToken).ConfigureAwait(false);
        await store.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
        return BackupOrder.GetUsable(info?.LastModified) ?? time.GetUtcNow();
    }
}
