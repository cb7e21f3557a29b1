using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>What every <see cref="IObjectStore"/> must do. A store's tests derive from it and say how an empty one is made.</summary>
public abstract partial class ObjectStoreConformance : IAsyncLifetime
{
    private IObjectStore? _store;

    protected IObjectStore Store => _store ?? throw new InvalidOperationException("The store is made before each test.");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync() => _store = await CreateEmptyAsync();

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_store is not null)
            await _store.DisposeAsync();
    }

    protected abstract ValueTask<IObjectStore> CreateEmptyAsync();

    protected static byte[] Bytes(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected async Task<List<ObjectInfo>> ListAsync(string prefix)
    {
        List<ObjectInfo> found = [];
        await foreach (ObjectInfo info in Store.ListAsync(prefix, Cancellation))
            found.Add(info);
        return found;
    }

    protected async Task<string[]> KeysAsync(string prefix) => [.. (await ListAsync(prefix)).Select(info => info.Key)];

    protected async Task PutManyAsync(IEnumerable<string> keys) => await Parallel.ForEachAsync(
        keys,
        new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancellation },
        async (key, token) => await Store.PutAsync(key, new byte[] { 1 }, cancellationToken: token));

    protected async Task<ObjectStoreException> FailsAsync(ObjectStoreError error, Func<ValueTask> call)
    {
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(async () => await call());
        Assert.Equal(error, e.Error);
        Assert.DoesNotContain('\n', e.Message);
        Assert.Contains(Store.Name, e.Message, StringComparison.Ordinal);
        return e;
    }
}
