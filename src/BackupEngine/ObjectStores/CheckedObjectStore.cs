using System.Runtime.CompilerServices;

namespace BackupEngine.ObjectStores;

/// <summary>
/// Checks the answers of a store against the promises of <see cref="IObjectStore"/>, so that an answer that cannot be is an error of the store and not of whatever the engine
/// would make of it. Disposing of it disposes of nothing.
/// </summary>
internal sealed class CheckedObjectStore(IObjectStore inner) : IObjectStore
{
    public string Name => inner.Name;

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
        inner.PutAsync(key, content, condition, cancellationToken);

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        int count = await inner.GetAsync(key, offset, destination, cancellationToken).ConfigureAwait(false);
        return count >= 0 && count <= destination.Length
            ? count
            : throw Fault(key, $"cannot read {key}: the store returned {count} bytes for a range of {destination.Length}");
    }

    public async ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        ObjectInfo? info = await inner.HeadAsync(key, cancellationToken).ConfigureAwait(false);
        if (info is not { } found)
            return null;
        if (found.Key != key)
            throw Fault(key, $"cannot look for {key}: the store described '{Shorten(found.Key)}' instead");
        return found.SizeBytes >= 0 ? found : throw Fault(key, $"cannot look for {key}: the store says that it has {found.SizeBytes} bytes");
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? previous = null;
        await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (FindProblem(prefix, previous, info) is { } problem)
                throw Fault(null, $"cannot list '{prefix}': {problem}");
            previous = info.Key;
            yield return info;
        }
    }

    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Compares a listed object with the one before, which needs no memory and finds every listing that repeats itself.</summary>
    private static string? FindProblem(string prefix, string? previous, ObjectInfo info) =>
        info.Key is null || !ObjectKey.IsValid(info.Key) ? $"the store listed '{Shorten(info.Key)}', which is not a valid key"
        : !info.Key.StartsWith(prefix, StringComparison.Ordinal) ? $"the store listed {info.Key}, which does not start with the prefix"
        : info.SizeBytes < 0 ? $"the store says that {info.Key} has {info.SizeBytes} bytes"
        : previous is null || string.CompareOrdinal(previous, info.Key) < 0 ? null
        : previous == info.Key ? $"the store listed {info.Key} twice"
        : $"the store listed {info.Key} after {previous}, which is not in order or begins again";

    private ObjectStoreException Fault(string? key, string message) => new(ObjectStoreError.Failed, key, $"{Name}: {message}; this is a fault of the store");

    private static string Shorten(string? key) =>
        string.Concat((key ?? "").Take(80).Select(c => char.IsControl(c) ? '?' : c)) + (key?.Length > 80 ? "..." : "");
}
