using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace BackupEngine.ObjectStores;

/// <summary>Keeps objects in this process's memory: for tests, and for trying things out. Objects are copied in and out.</summary>
public sealed class InMemoryObjectStore : IObjectStore
{
    private readonly ConcurrentDictionary<string, StoredObject> _objects = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;

    /// <summary>Makes an empty store.</summary>
    /// <param name="timeProvider">The clock of <see cref="ObjectInfo.LastModified"/>. Default: the system's.</param>
    public InMemoryObjectStore(TimeProvider? timeProvider = null) => _clock = timeProvider ?? TimeProvider.System;

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        StoredObject stored = new(content.ToArray(), _clock.GetUtcNow());
        if (condition.Expected is { } expected)
        {
            if (!_objects.TryGetValue(key, out StoredObject? there) || !there.Content.AsSpan().SequenceEqual(expected.Span) || !_objects.TryUpdate(key, stored, there))
                throw new ObjectStoreException(ObjectStoreError.Changed, key, $"{Name}: cannot store {key}: what it was to replace is not there any more");
        }
        else if (!condition.IsAbsent)
        {
            _objects[key] = stored;
        }
        else if (!_objects.TryAdd(key, stored))
        {
            throw new ObjectStoreException(ObjectStoreError.AlreadyExists, key, $"{Name}: cannot store {key}: it exists already");
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        if (!_objects.TryGetValue(key, out StoredObject? stored))
            throw new ObjectStoreException(ObjectStoreError.NotFound, key, $"{Name}: cannot read {key}: there is no such object");

        int start = (int)Math.Min(offset, stored.Content.Length);
        int count = Math.Min(destination.Length, stored.Content.Length - start);
        stored.Content.AsSpan(start, count).CopyTo(destination.Span);
        return ValueTask.FromResult(count);
    }

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_objects.TryGetValue(key, out StoredObject? stored) ? stored.Describe(key) : (ObjectInfo?)null);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        string[] keys = [.. _objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))];
        Array.Sort(keys, StringComparer.Ordinal);
        foreach (string key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ObjectInfo? info = await HeadAsync(key, cancellationToken).ConfigureAwait(false);
            if (info is not null)
                yield return info.Value;
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (string key in keys)
            ObjectKey.Validate(key);
        foreach (string key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _objects.TryRemove(key, out _);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed record StoredObject(byte[] Content, DateTimeOffset LastModified)
    {
        public ObjectInfo Describe(string key) => new(key, Content.Length, LastModified);
    }
}
