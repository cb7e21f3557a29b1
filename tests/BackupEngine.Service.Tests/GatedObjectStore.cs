using BackupEngine.ObjectStores;

namespace BackupEngine.Service.Tests;

/// <summary>A store that takes no pack, or nothing under some other keys, until it is opened.</summary>
internal sealed class GatedObjectStore(Func<string, bool>? isGated = null) : IObjectStore
{
    private readonly Func<string, bool> _isGated = isGated ?? (key => key.Contains("/packs/", StringComparison.Ordinal));
    private readonly InMemoryObjectStore _store = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when somebody waits at the gate.</summary>
    public Task Reached => _reached.Task;

    public string Name => _store.Name;

    public void Open() => _open.TrySetResult();

    /// <summary>Lets nobody through: whoever waits at the gate, or comes to it, fails.</summary>
    public void Break() => _open.TrySetException(new ObjectStoreException(ObjectStoreError.AccessDenied, "pack", "the gate is broken"));

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        if (_isGated(key))
        {
            _reached.TrySetResult();
            await _open.Task.WaitAsync(cancellationToken);
        }

        await _store.PutAsync(key, content, condition, cancellationToken);
    }

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        _store.GetAsync(key, offset, destination, cancellationToken);

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => _store.HeadAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => _store.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => _store.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}
