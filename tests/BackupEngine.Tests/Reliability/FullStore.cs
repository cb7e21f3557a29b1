using BackupEngine.ObjectStores;

namespace BackupEngine.Tests.Reliability;

/// <summary>A store that takes nothing more once it is full; it can be read, and what is there be deleted.</summary>
internal sealed class FullStore(IObjectStore inner) : IObjectStore
{
    private int _putsLeft = int.MaxValue;

    public string Name => inner.Name;

    /// <summary>How much room is left.</summary>
    public int PutsLeft
    {
        get => Volatile.Read(ref _putsLeft);
        set => Volatile.Write(ref _putsLeft, value);
    }

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
        Interlocked.Decrement(ref _putsLeft) >= 0
            ? inner.PutAsync(key, content, condition, cancellationToken)
            : ValueTask.FromException(new ObjectStoreException(ObjectStoreError.OutOfSpace, key, "no room"));

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        inner.GetAsync(key, offset, destination, cancellationToken);

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

    /// <summary>Waited for before anything is deleted.</summary>
    public Func<IReadOnlyCollection<string>, Task>? BeforeDelete { get; init; }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        if (BeforeDelete is not null)
            await BeforeDelete(keys);
        await inner.DeleteAsync(keys, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
