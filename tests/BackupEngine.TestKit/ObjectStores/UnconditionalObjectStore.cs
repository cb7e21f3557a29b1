using BackupEngine.ObjectStores;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>A store that ignores the conditions of puts, as some servers do.</summary>
public sealed class UnconditionalObjectStore(IObjectStore inner) : IObjectStore
{
    public string Name => inner.Name;

    public bool HonoursIfAbsent { get; init; }

    public bool HonoursIfUnchanged { get; init; }

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        bool isHonoured = (condition.IsAbsent && HonoursIfAbsent) || (condition.Expected is not null && HonoursIfUnchanged);
        return inner.PutAsync(key, content, isHonoured ? condition : PutCondition.None, cancellationToken);
    }

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        inner.GetAsync(key, offset, destination, cancellationToken);

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
