using BackupEngine.ObjectStores;

namespace BackupEngine.Packing;

/// <summary>Reads parts of packs.</summary>
internal static class PackReading
{
    /// <summary>Fills memory from a pack that a manifest refers to.</summary>
    /// <exception cref="CorruptionException">The pack is missing, or ends early.</exception>
    public static async ValueTask ReadPackAsync(
        this IObjectStore store, string key, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            read = await store.GetAsync(key, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            throw new CorruptionException(key, null, "the pack is missing", e);
        }

        if (read < destination.Length)
            throw new CorruptionException(key, offset + read, "the pack ends early");
    }
}
