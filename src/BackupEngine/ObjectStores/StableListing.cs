namespace BackupEngine.ObjectStores;

/// <summary>
/// Lists objects that others may replace meanwhile. A directory that is read while a file in it is replaced by rename may show neither the old nor the new file (btrfs since
/// Linux 6.5, and some network file systems), so what one listing does not show is not yet gone. A listing is repeated until it shows nothing that the ones before did not.
/// </summary>
internal static class StableListing
{
    /// <summary>Names that keep appearing belong to new objects; those may be missed, for they came after the listing began.</summary>
    private const int MaxListings = 5;

    /// <summary>Returns all objects that at least one of several listings showed, in the order of their keys. Some may be gone by now.</summary>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<IReadOnlyCollection<ObjectInfo>> ListStableAsync(this IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var found = new SortedDictionary<string, ObjectInfo>(StringComparer.Ordinal);
        for (int listing = 1; listing <= MaxListings; listing++)
        {
            int before = found.Count;
            await foreach (ObjectInfo info in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
                found[info.Key] = info;
            if (listing > 1 && found.Count == before)
                break;
        }

        return found.Values;
    }

    /// <summary>Returns those of some objects that are really gone: a listing that does not show an object proves nothing until the store is asked for it.</summary>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static async Task<List<string>> FindMissingAsync(this IObjectStore store, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        List<string> missing = [];
        foreach (string key in keys)
        {
            if (await store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is null)
                missing.Add(key);
        }

        return missing;
    }
}
