using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.ObjectStores;

/// <summary>
/// Keeps every object as a file of a local (or mounted) directory, under its key as relative path.
/// Anything in the directory that is no regular file with a key for a name (temporary files, files of others) is no object and is left alone; a link with a key for
/// a name, or a part of one, is an error, for what is behind it must not pass for gone. The directory itself may be one.
/// </summary>
/// <remarks>
/// A put writes a temporary file beside the objects, forces it to disk and then links or renames it into place, so that readers see all of an object or nothing.
/// Directories that a delete leaves empty are removed, or a store that lives for years would fill with them; the put that loses a race
/// against such a removal finds its directory gone, makes it anew and goes on.
/// Reads are done on the caller's thread: they come from the page cache or the disk's own queue, and a thread switch for each would cost more than it gives.
/// </remarks>
public sealed class DirectoryObjectStore : IObjectStore
{
    private readonly string _root;
    private readonly DirectoryWriter _writer;

    /// <summary>Keeps objects in the directory, which is made when it does not exist; puts are durable.</summary>
    /// <param name="path">The directory.</param>
    /// <exception cref="ObjectStoreException">The directory cannot be made.</exception>
    public DirectoryObjectStore(string path)
        : this(new DirectoryObjectStoreOptions { Path = path })
    {
    }

    /// <summary>Keeps objects in a directory.</summary>
    /// <param name="options">Which, and how.</param>
    /// <exception cref="ObjectStoreException">The directory is to be made and cannot be.</exception>
    public DirectoryObjectStore(DirectoryObjectStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Path);
        ArgumentNullException.ThrowIfNull(options.TimeProvider);
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Path));
        _writer = new DirectoryWriter(_root, options.Durable, options.TimeProvider);
        try
        {
            if (options.Create)
                _writer.CreateRoot();
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, _root, null, "create the directory");
        }
    }

    /// <inheritdoc/>
    public string Name => _root;

    /// <inheritdoc/>
    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);

        // A pack is 32 MiB and waits for the disk: that must not hold the caller's thread.
        return new ValueTask(Task.Run(() => Put(key, content.Span, condition, cancellationToken), cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // Opened for each read: a few microseconds, and an object replaced or deleted since is never served from an old handle.
            using SafeFileHandle handle = File.OpenHandle(PathOf(key), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return ValueTask.FromResult(ReadToEnd(handle, destination.Span, offset));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException || (e is UnauthorizedAccessException && Directory.Exists(PathOf(key))))
        {
            throw ContainerMissing(key, "read")
                ?? new ObjectStoreException(ObjectStoreError.NotFound, key, $"{Name}: cannot read {key}: there is no such object", e);
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, _root, key, "read");
        }
    }

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default)
    {
        ObjectKey.Validate(key);
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            ObjectInfo? info = DirectoryListing.Describe(PathOf(key), key);
            if (info is null && ContainerMissing(key, "look for") is { } missing)
                throw missing;
            return ValueTask.FromResult(info);
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, _root, key, "look for");
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        await foreach (ObjectInfo info in new DirectoryListing(_root).ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            yield return info;
        if (ContainerMissing(null, "list") is { } missing)
            throw missing;
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (string key in keys)
            ObjectKey.Validate(key);
        return keys.Count == 0 ? ValueTask.CompletedTask : new ValueTask(Task.Run(() => Delete(keys, cancellationToken), cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Put(string key, ReadOnlySpan<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        try
        {
            if (!_writer.Write(PathOf(key), content, condition, StoreKeys.IsNeededToFreeSpace(key), cancellationToken))
                throw condition.IsAbsent
                    ? new ObjectStoreException(ObjectStoreError.AlreadyExists, key, $"{Name}: cannot store {key}: it exists already")
                    : new ObjectStoreException(ObjectStoreError.Changed, key, $"{Name}: cannot store {key}: what it was to replace is not there any more");
        }
        catch (DirectoryNotFoundException e)
        {
            throw ContainerMissing(key, "store") ?? new ObjectStoreException(
                ObjectStoreError.ContainerNotFound, key, $"{Name}: cannot store {key}: the directory is not the one that it was; is its disk no longer mounted?", e);
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw ContainerMissing(key, "store") ?? DirectoryErrors.Translate(e, _root, key, "store");
        }
    }

    private void Delete(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        string? current = null;
        try
        {
            HashSet<string> parents = new(StringComparer.Ordinal);
            foreach (string key in keys)
            {
                cancellationToken.ThrowIfCancellationRequested();
                current = key;
                if (_writer.Delete(PathOf(key), cancellationToken))
                    parents.Add(Path.GetDirectoryName(PathOf(key))!);
            }

            _writer.RemoveEmptied(parents);
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, _root, current, "delete");
        }

        if (ContainerMissing(current, "delete") is { } missing)
            throw missing;
    }

    private static int ReadToEnd(SafeFileHandle handle, Span<byte> destination, long offset)
    {
        int total = 0;
        while (total < destination.Length)
        {
            int count = RandomAccess.Read(handle, destination[total..], offset + total);
            if (count == 0)
                break;
            total += count;
        }

        return total;
    }

    private ObjectStoreException? ContainerMissing(string? key, string action) => Directory.Exists(_root)
        ? null
        : new ObjectStoreException(ObjectStoreError.ContainerNotFound, key, $"{Name}: cannot {action}{(key is null ? "" : " " + key)}: the directory does not exist");

    private string PathOf(string key) => Path.Join(_root, key);
}
