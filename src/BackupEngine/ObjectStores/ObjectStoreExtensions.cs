namespace BackupEngine.ObjectStores;

/// <summary>Conveniences on top of what every <see cref="IObjectStore"/> can do.</summary>
public static class ObjectStoreExtensions
{
    private const int FirstGuessBytes = 64 * 1024;

    /// <summary>Fills the caller's memory with a range of an object.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="offset">First byte to read, from 0.</param>
    /// <param name="destination">Where the bytes go; filled to its end.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CorruptionException">The object ends before the range does.</exception>
    /// <exception cref="ObjectStoreException">There is no such object, or the store failed, or it returned less than the object holds.</exception>
    public static async ValueTask GetExactlyAsync(this IObjectStore store, string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        int count = await store.GetAsync(key, offset, destination, cancellationToken).ConfigureAwait(false);
        if (count == destination.Length)
            return;

        // A store that returns too little must not make an intact object look damaged.
        if (await store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } info && info.SizeBytes >= offset + destination.Length)
        {
            throw new ObjectStoreException(
                ObjectStoreError.Failed, key, $"{store.Name}: cannot read {key}: the store returned {count} of {destination.Length} bytes from {offset}, although the object has {info.SizeBytes}; this is a fault of the store");
        }

        throw new CorruptionException(key, offset, $"ends early: {destination.Length} bytes wanted, {count} there");
    }

    /// <summary>Reads a whole object: in one request below 64 KiB, in a few when it is longer. What is returned is one version of the object, never a mixture.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="maxBytes">The most that the object may hold.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CorruptionException">The object is longer than <paramref name="maxBytes"/>.</exception>
    /// <exception cref="ObjectStoreException">There is no such object, or the store failed.</exception>
    public static async ValueTask<byte[]> GetAllAsync(this IObjectStore store, string key, int maxBytes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(maxBytes, Array.MaxLength);

        // One byte more than wanted tells that the object does not end here. A longer object is read again from its start,
        // so that a replacement between two requests cannot be seen half.
        for (int guess = FirstGuessBytes; ; guess = (int)Math.Min(guess * 8L, maxBytes + 1L))
        {
            byte[] buffer = new byte[Math.Min(guess, maxBytes + 1)];
            int count = await store.GetAsync(key, 0, buffer, cancellationToken).ConfigureAwait(false);
            if (count > maxBytes)
                throw new CorruptionException(key, null, $"is longer than the {maxBytes} bytes that it may hold");
            if (count < buffer.Length)
                return buffer.AsSpan(0, count).ToArray();
        }
    }

    /// <summary>Deletes one object. A key without an object is no error.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public static ValueTask DeleteAsync(this IObjectStore store, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.DeleteAsync([key], cancellationToken);
    }
}
