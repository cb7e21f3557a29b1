using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.TestKit.ObjectStores;

/// <summary>Keeps objects of others from the sight of one actor: keys that it may not see in listings, and objects of which it only ever sees what it saw first.</summary>
public sealed class BlindObjectStore(IObjectStore inner, Func<string, bool> isHidden, Func<string, bool> isFrozen) : IObjectStore
{
    private readonly ConcurrentDictionary<string, byte[]> _frozen = new();

    public string Name => inner.Name;

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
        inner.PutAsync(key, content, condition, cancellationToken);

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (isFrozen(key) && offset == 0 && _frozen.TryGetValue(key, out byte[]? seen))
        {
            seen.CopyTo(destination);
            return seen.Length;
        }

        int read = await inner.GetAsync(key, offset, destination, cancellationToken);
        if (isFrozen(key) && offset == 0)
            _frozen[key] = destination[..read].ToArray();
        return read;
    }

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
        {
            if (!isHidden(info.Key))
                yield return info;
        }
    }

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
