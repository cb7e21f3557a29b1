using System.Runtime.CompilerServices;
using BackupEngine.Diagnostics;

namespace BackupEngine.ObjectStores;

/// <summary>
/// Turns exceptions of a custom store that its contract does not know into <see cref="ObjectStoreException"/>s: a timeout of the store is not the caller's cancellation.
/// Disposing of it disposes of nothing.
/// </summary>
internal sealed class WrappingObjectStore(IObjectStore inner) : IObjectStore
{
    public string Name => inner.Name;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        try
        {
            await inner.PutAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, key, $"store {key}");
        }
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.GetAsync(key, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, key, $"read {key}");
        }
    }

    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.HeadAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, key, $"look for {key}");
        }
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IAsyncEnumerator<ObjectInfo> listing = Map(() => inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken));
        try
        {
            while (await MoveNextAsync().ConfigureAwait(false))
                yield return Map(() => listing.Current);
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }

        T Map<T>(Func<T> call)
        {
            try
            {
                return call();
            }
            catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
            {
                throw WrapListing(e);
            }
        }

        async ValueTask<bool> MoveNextAsync()
        {
            try
            {
                return await listing.MoveNextAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
            {
                throw WrapListing(e);
            }
        }

        async ValueTask DisposeAsync()
        {
            try
            {
                await listing.DisposeAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
            {
                throw WrapListing(e);
            }
        }

        ObjectStoreException WrapListing(Exception error) => Wrap(error, null, prefix.Length == 0 ? "list all objects" : $"list {prefix}");
    }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        try
        {
            await inner.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (ForeignErrors.IsForeign(e, cancellationToken))
        {
            throw Wrap(e, keys.FirstOrDefault(), keys.Count == 1 ? $"delete {keys.First()}" : $"delete {keys.Count} objects");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ObjectStoreException Wrap(Exception error, string? key, string action)
    {
        ObjectStoreError kind = error is UnauthorizedAccessException ? ObjectStoreError.AccessDenied
            : ForeignErrors.IsTransient(error) ? ObjectStoreError.Unavailable
            : ObjectStoreError.Failed;
        return new ObjectStoreException(kind, key, $"{Name}: cannot {action}: {ForeignErrors.Describe(error)}", error);
    }
}
