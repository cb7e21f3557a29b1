namespace BackupEngine.ObjectStores;

/// <summary>
/// A flat set of immutable-by-convention objects named by keys: a bucket, or a directory.
/// All members are safe to call from many threads at once.
/// </summary>
/// <remarks>
/// Keys are relative paths of one to 900 characters from <c>[A-Za-z0-9._-]</c> and <c>/</c>, without empty, <c>.</c> or <c>..</c> segments;
/// others throw <see cref="ArgumentException"/>. A key is never both an object and a prefix of other keys' folders.
/// What a finished <see cref="PutAsync"/> or <see cref="DeleteAsync"/> did is seen by every later call of every client (read-after-write).
/// Failures are <see cref="ObjectStoreException"/>s that name the key; cancellation is <see cref="OperationCanceledException"/>. The engine wraps other exceptions in an
/// <see cref="ObjectStoreException"/>; so it does with a cancellation that the token passed to the call did not ask for, such as an HTTP timeout.
/// </remarks>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>What messages call this store, such as <c>/backups</c> or <c>s3://bucket/prefix</c>; never holds a credential.</summary>
    string Name { get; }

    /// <summary>Stores a whole object: all of it becomes visible at once, durably, or nothing does.</summary>
    /// <param name="key">The object's key.</param>
    /// <param name="content">The object's bytes, checked against damage on their way where the store can. May be empty. Must not change until the call ends.</param>
    /// <param name="condition">Whether an existing object may be replaced.</param>
    /// <param name="cancellationToken">Gives up; the object is then either stored whole or not at all.</param>
    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.AlreadyExists"/> or <see cref="ObjectStoreError.Changed"/> when <paramref name="condition"/> does not hold; or the store failed.</exception>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default);

    /// <summary>Reads a range of an object into the caller's memory, until it is full or the object ends.</summary>
    /// <param name="key">The object's key.</param>
    /// <param name="offset">First byte to read, from 0; at or past the end, nothing is read.</param>
    /// <param name="destination">Where the bytes go.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Bytes read: less than <paramref name="destination"/> holds only when the object ends there.</returns>
    /// <exception cref="ObjectStoreException">With <see cref="ObjectStoreError.NotFound"/> when there is no such object; or the store failed, or sent less than it promised.</exception>
    ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default);

    /// <summary>Size and time of an object, or null when there is none.</summary>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>All objects whose keys start with <paramref name="prefix"/> (any string, possibly empty), in ordinal order of keys, fetched page by page.</summary>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>Deletes objects, in batches where the store can. A key without an object is no error.</summary>
    /// <exception cref="ObjectStoreException">The store failed; some of the objects may be gone.</exception>
    ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default);
}
