using System.IO.Enumeration;
using System.Runtime.CompilerServices;

namespace BackupEngine.ObjectStores;

/// <summary>Walks the files of a <see cref="DirectoryObjectStore"/> in the order of their keys, holding the names of one directory per level.</summary>
internal sealed class DirectoryListing(string root)
{
    // Hidden files too: a key may start with a point.
    private static readonly EnumerationOptions _everyName = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string folder = prefix[..(prefix.LastIndexOf('/') + 1)];
        if (folder.Length > 0 && !ObjectKey.IsValid(folder.AsSpan()[..^1]))
            yield break;

        Stack<IEnumerator<Entry>> levels = new();
        levels.Push(await ReadAsync(folder, prefix[folder.Length..], cancellationToken).ConfigureAwait(false));
        while (levels.TryPeek(out IEnumerator<Entry>? level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!level.MoveNext())
                levels.Pop();
            else if (level.Current.IsFolder)
                levels.Push(await ReadAsync(level.Current.Key, "", cancellationToken).ConfigureAwait(false));
            else if (DescribeEntry(level.Current.Key) is { } info)
                yield return info;
        }
    }

    /// <summary>Size and time of a file, or null when it is none: folders and what is gone are no objects.</summary>
    /// <exception cref="IOException">It is a link.</exception>
    public static ObjectInfo? Describe(string path, string key)
    {
        FileInfo file = new(path);
        const FileAttributes Missing = (FileAttributes)(-1);
        if (file.Attributes == Missing)
            return null;
        ThrowIfLink(file);
        if ((file.Attributes & FileAttributes.Directory) != 0)
            return null;
        return new ObjectInfo(key, file.Length, file.LastWriteTimeUtc);
    }

    private ObjectInfo? DescribeEntry(string key)
    {
        try
        {
            return Describe(Path.Join(root, key), key);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, root, key, "list");
        }
    }

    // A directory can hold a hundred thousand packs: reading it must not hold the caller's thread.
    private Task<IEnumerator<Entry>> ReadAsync(string folder, string nameStart, CancellationToken cancellationToken) =>
        Task.Run(() => Read(folder, nameStart), cancellationToken);

    private IEnumerator<Entry> Read(string folder, string nameStart)
    {
        // Without the separator at its end: with it, a link is asked for what it points to.
        DirectoryInfo directory = new(Path.TrimEndingDirectorySeparator(Path.Join(root, folder)));
        try
        {
            if (folder.Length > 0)
            {
                ThrowIfLink(directory);
                if (!directory.Exists)
                    return Enumerable.Empty<Entry>().GetEnumerator();
            }

            FileSystemEnumerable<Entry> names = new(
                directory.FullName,
                (ref FileSystemEntry entry) => new Entry(string.Concat(folder, entry.FileName, entry.IsDirectory ? "/" : ""), entry.IsDirectory),
                _everyName)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                    ObjectKey.IsValidSegment(entry.FileName) && entry.FileName.StartsWith(nameStart, StringComparison.Ordinal),
            };
            IEnumerable<Entry> inOrder = names.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray(); // read here, on this thread
            return inOrder.GetEnumerator();
        }
        catch (DirectoryNotFoundException)
        {
            return Enumerable.Empty<Entry>().GetEnumerator();
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            throw DirectoryErrors.Translate(e, root, null, $"list '{folder}'");
        }
    }

    /// <summary>A link is not followed, for one that points upwards would be walked without end; and what is behind it is not taken to be gone, for whoever lists removes what nobody needs.</summary>
    private static void ThrowIfLink(FileSystemInfo entry)
    {
        if ((entry.Attributes & FileAttributes.ReparsePoint) != 0 && entry.LinkTarget is not null)
            throw new IOException($"{entry.FullName} is a symbolic link, which is not followed; put in its place what it points to, or mount that there");
    }

    /// <summary>A file with its key, or a folder with the start of its keys: that ends with <c>/</c>, so sorting by it is sorting by key.</summary>
    private readonly record struct Entry(string Key, bool IsFolder);
}
