using BackupEngine.ObjectStores;

namespace BackupEngine.Tests.Limits;

/// <summary>A store that tells of every transfer of an object before it makes it.</summary>
internal sealed class WatchedStore(IObjectStore inner, Func<string, CancellationToken, ValueTask> before) : IObjectStore
{
    public string Name => inner.Name;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        await before(key, cancellationToken);
        await inner.PutAsync(key, content, condition, cancellationToken);
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await before(key, cancellationToken);
        return await inner.GetAsync(key, offset, destination, cancellationToken);
    }

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
