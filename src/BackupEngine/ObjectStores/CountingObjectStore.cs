using System.Runtime.CompilerServices;
using BackupEngine.Diagnostics;

namespace BackupEngine.ObjectStores;

/// <summary>Counts the calls that go through to another store, failed ones too. Disposing of it disposes of nothing: the inner store belongs to who made it.</summary>
internal sealed class CountingObjectStore(IObjectStore inner) : IObjectStore
{
    private long _puts;
    private long _gets;
    private long _heads;
    private long _lists;
    private long _deletes;

    public string Name => inner.Name;

    public RequestCounts Counts => new(
        Interlocked.Read(ref _puts),
        Interlocked.Read(ref _gets),
        Interlocked.Read(ref _heads),
        Interlocked.Read(ref _lists),
        Interlocked.Read(ref _deletes));

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = PutCondition.None, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _puts);
        return inner.PutAsync(key, content, condition, cancellationToken);
    }

    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _gets);
        return inner.GetAsync(key, offset, destination, cancellationToken);
    }

    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _heads);
        return inner.HeadAsync(key, cancellationToken);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _lists);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            yield return info;
    }

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _deletes);
        return inner.DeleteAsync(keys, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
