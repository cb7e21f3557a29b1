using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>
    /// Removes what was left by a backup that was cut off before it was committed, so that it no longer wastes space and no longer keeps its parent
    /// from being deleted. Only who knows that nobody writes the backup any more may call this. What is committed stays as it is.
    /// </summary>
    /// <param name="volumeId">The volume that was backed up.</param>
    /// <param name="backupId">The backup that was being written.</param>
    /// <param name="cancellationToken">Gives up; calling again goes on.</param>
    /// <returns>The backup, when it had been committed after all; otherwise null.</returns>
    /// <exception cref="ObjectStoreException">The store failed; something may be left.</exception>
    public async Task<Backup?> DiscardUnfinishedAsync(string volumeId, Guid backupId, CancellationToken cancellationToken = default)
    {
        Backup? committed = await _records.FindRecordAsync(volumeId, backupId, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> intents = await _records.ListIntentsAsync(volumeId, cancellationToken).ConfigureAwait(false);
        if (intents.FirstOrDefault(other => other.Id == backupId) is not { } intent)
            return committed;

        if (committed is null)
        {
            List<string> keys = [StoreKeys.Manifest(volumeId, backupId)];
            await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(volumeId, backupId), cancellationToken).ConfigureAwait(false))
                keys.Add(pack.Key);
            await _store.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
        }

        // Last: as long as it is there, the rest can be found again.
        await _records.DeleteIntentAsync(intent, cancellationToken).ConfigureAwait(false);
        return committed;
    }
}
