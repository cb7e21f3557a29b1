using BackupEngine.ObjectStores;

namespace CustomStore;

/// <summary>
/// Keeps every object in two stores and reads from whichever has it. The first decides who wins a conditional put and what a list shows. A call fails when a
/// store that it writes to does; the engine then says that it failed, and the next prune removes what only one store got.
/// </summary>
public sealed class MirroredObjectStore(IObjectStore first, IObjectStore second) : IObjectStore
{
    /// <inheritdoc/>
    public string Name => $"{first.Name} + {second.Name}";

    /// <inheritdoc/>
    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        await NamedAsync(() => first.PutAsync(key, content, condition, cancellationToken));
        await NamedAsync(() => second.PutAsync(key, content, PutCondition.None, cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        try
        {
            return await first.GetAsync(key, offset, destination, cancellationToken);
        }
        catch (ObjectStoreException)
        {
            return await NamedAsync(() => second.GetAsync(key, offset, destination, cancellationToken));
        }
    }

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => NamedAsync(() => first.HeadAsync(key, cancellationToken));

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => first.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        await NamedAsync(() => second.DeleteAsync(keys, cancellationToken));
        await NamedAsync(() => first.DeleteAsync(keys, cancellationToken));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    private async ValueTask NamedAsync(Func<ValueTask> call)
    {
        try
        {
            await call();
        }
        catch (ObjectStoreException e)
        {
            throw Named(e);
        }
    }

    private async ValueTask<T> NamedAsync<T>(Func<ValueTask<T>> call)
    {
        try
        {
            return await call();
        }
        catch (ObjectStoreException e)
        {
            throw Named(e);
        }
    }

    // Messages name this store, and the cause names the one of the two.
    private ObjectStoreException Named(ObjectStoreException e) => new(e.Error, e.Key, $"{Name}: {e.Message}", e);
}
