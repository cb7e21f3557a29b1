using System.Runtime.CompilerServices;
using BackupEngine.ObjectStores;

namespace BackupEngine.Limits;

/// <summary>A store behind a gate. Disposing of it disposes of nothing.</summary>
internal sealed class GatedObjectStore(IObjectStore inner, OperationGate gate) : IObjectStore
{
    public string Name => inner.Name;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        await gate.PassUploadAsync(content.Length, cancellationToken).ConfigureAwait(false);
        await inner.PutAsync(key, content, condition, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        await gate.PassDownloadAsync(destination.Length, cancellationToken).ConfigureAwait(false);
        int count = 0;
        try
        {
            return count = await inner.GetAsync(key, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gate.GiveBackDownload(destination.Length - count);
        }
    }

    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        return await inner.HeadAsync(key, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            yield return info;
    }

    public async ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        await inner.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
