using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.Tests.Misuse;

/// <summary>A custom store that does something of its own before each call: it throws, or it waits.</summary>
internal sealed class HookedStore(IObjectStore inner) : IObjectStore
{
    /// <summary>Gets or sets what happens before a call: its name (put, get, head, list, delete) and the key or prefix.</summary>
    public Func<string, string, Task>? Before { get; set; }

    public string Name => inner.Name;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        await RunAsync("put", key);
        await inner.PutAsync(key, content, condition, cancellationToken);
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await RunAsync("get", key);
        return await inner.GetAsync(key, offset, destination, cancellationToken);
    }

    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        await RunAsync("head", key);
        return await inner.HeadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await RunAsync("list", prefix);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
            yield return info;
    }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        await RunAsync("delete", keys.FirstOrDefault() ?? "");
        await inner.DeleteAsync(keys, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task RunAsync(string call, string key) => Before?.Invoke(call, key) ?? Task.CompletedTask;
}
