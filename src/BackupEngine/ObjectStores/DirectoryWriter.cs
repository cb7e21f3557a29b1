using BackupEngine.Durability;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.ObjectStores;

/// <summary>Changes files of a <see cref="DirectoryObjectStore"/> so that each change is seen whole and, on request, survives a power failure.</summary>
internal sealed class DirectoryWriter(string root, bool durable, TimeProvider clock)
{
    /// <summary>Where files are written before they are objects; <c>~</c> is in no key, so it can never be taken for a folder of objects.</summary>
    public const string TemporaryFolder = ".tmp~";

    // Each lost race means that another process removed the emptied directory in the microseconds since it was made.
    private const int MaxLostRaces = 100;
    private static readonly TimeSpan _abandonedAfter = TimeSpan.FromDays(1);

    private readonly string _temporary = Path.Join(root, TemporaryFolder);
    private readonly DirectoryLock _lock = new(root, clock);
    private readonly DirectoryReserve _reserve = new(root);
    private readonly Lock _preparing = new();
    private volatile bool _prepared;

    public void CreateRoot()
    {
        string? existing = root;
        while (existing is not null && !Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing);
        Directory.CreateDirectory(root);
        if (durable && existing != root)
            SyncUpTo(Path.GetDirectoryName(root), existing);
    }

    /// <summary>Stores a file whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">What it is to hold.</param>
    /// <param name="condition">What must hold of the file that is there.</param>
    /// <param name="mayUseReserve">Whether the put helps to free space, and may take the space that is held back for that.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>False when the condition does not hold.</returns>
    public bool Write(string path, ReadOnlySpan<byte> content, PutCondition condition, bool mayUseReserve, CancellationToken cancellationToken)
    {
        bool isStored;
        try
        {
            isStored = WriteOnce(path, content, condition, mayUseReserve, cancellationToken);
        }
        catch (IOException e) when (mayUseReserve && content.Length <= DirectoryReserve.SizeBytes / 4 && DirectoryErrors.IsFull(e))
        {
            // Also when another has given the reserve up at this moment: there is room then.
            _reserve.Release();
            return WriteOnce(path, content, condition, mayUseReserve, cancellationToken);
        }

        if (isStored)
            _reserve.Fill(NewTemporary());
        return isStored;
    }

    private bool WriteOnce(string path, ReadOnlySpan<byte> content, PutCondition condition, bool mayUseReserve, CancellationToken cancellationToken)
    {
        PrepareTemporaryFolder();

        // Checked again where it counts; a put that is refused here needs neither space nor a flush.
        if ((condition.IsAbsent && File.Exists(path)) || (condition.Expected is { } expected && !IsUnchanged(path, expected.Span)))
            return false;
        if (!mayUseReserve)
            _reserve.ThrowIfNeeded(content.Length);
        string temporary = NewTemporary();
        try
        {
            using (SafeFileHandle handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                RandomAccess.Write(handle, content, 0);
                if (durable)
                    DiskFlush.File(handle);
            }

            cancellationToken.ThrowIfCancellationRequested();
            if (!Publish(temporary, path, condition, cancellationToken))
                return false;
        }
        finally
        {
            DeleteTemporary(temporary);
        }

        // All the way up: a directory that another process has just made on our way may not be on disk yet. Clean ones cost next to nothing.
        if (durable)
            SyncUpTo(Path.GetDirectoryName(path), root);
        return true;
    }

    /// <summary>Removes a file.</summary>
    /// <returns>False when there is none.</returns>
    public bool Delete(string path, CancellationToken cancellationToken)
    {
        try
        {
            if (DirectoryListing.Describe(path, "") is not { } info)
                return false;

            // What is larger is nobody's to replace by condition.
            using (info.SizeBytes <= PutCondition.MaxExpectedBytes ? _lock.Share(cancellationToken) : null)
                File.Delete(path);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>After deletes: removes the directories left empty, upwards to the root, and forces the rest to disk.</summary>
    public void RemoveEmptied(HashSet<string> directories)
    {
        HashSet<string> changed = new(StringComparer.Ordinal);
        foreach (string directory in directories)
        {
            string current = directory;
            while (current.Length > root.Length && AtomicFiles.RemoveDirectoryIfEmpty(current))
                current = Path.GetDirectoryName(current)!;
            changed.Add(current);
        }

        if (!durable)
            return;
        foreach (string directory in changed)
            AtomicFiles.SyncDirectory(directory);
    }

    private bool Publish(string temporary, string path, PutCondition condition, CancellationToken cancellationToken)
    {
        if (condition.Expected is { } expected)
            return ReplaceIfUnchanged(temporary, path, expected.Span, cancellationToken);
        for (int lostRaces = 0; ; lostRaces++)
        {
            try
            {
                if (AtomicFiles.TryCreate(temporary, path))
                    return true;
                if (condition.IsAbsent)
                    return false;
                using (_lock.Share(cancellationToken))
                    AtomicFiles.Replace(temporary, path);
                return true;
            }
            catch (DirectoryNotFoundException) when (lostRaces < MaxLostRaces && File.Exists(temporary))
            {
                CreateParents(path);
            }
        }
    }

    /// <summary>No file system replaces a file on condition that it is a certain one, so nobody else replaces or removes one meanwhile.</summary>
    private bool ReplaceIfUnchanged(string temporary, string path, ReadOnlySpan<byte> expected, CancellationToken cancellationToken)
    {
        using FileStream alone = _lock.Take(cancellationToken);
        if (!IsUnchanged(path, expected))
            return false;
        AtomicFiles.Replace(temporary, path);
        return true;
    }

    private string NewTemporary() => Path.Join(_temporary, Guid.NewGuid().ToString("N"));

    private static bool IsUnchanged(string path, ReadOnlySpan<byte> expected)
    {
        try
        {
            return DirectoryListing.Describe(path, "")?.SizeBytes == expected.Length && expected.SequenceEqual(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static void CreateParents(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        catch (DirectoryNotFoundException)
        {
            // A parent just made was empty and so was removed by a delete: the next turn of the loop makes it again.
        }
    }

    private static void SyncUpTo(string? directory, string? last)
    {
        try
        {
            for (; directory is not null; directory = Path.GetDirectoryName(directory))
            {
                AtomicFiles.SyncDirectory(directory);
                if (directory == last)
                    return;
            }
        }
        catch (IOException e)
        {
            // Never a passing trouble, whatever the number says: once it has failed, another attempt may succeed without having written anything.
            throw new IOException($"{directory} cannot be forced to disk: {e.Message}", e);
        }
    }

    private void PrepareTemporaryFolder()
    {
        if (_prepared)
            return;
        lock (_preparing)
        {
            if (_prepared)
                return;
            if (!Directory.Exists(root))
                throw new DirectoryNotFoundException($"{root} does not exist");
            Directory.CreateDirectory(_temporary);
            foreach (FileInfo file in new DirectoryInfo(_temporary).EnumerateFiles())
            {
                // Only litter hangs on the clocks here: were the file of a living writer removed, its put would fail and nothing else.
                if (clock.GetUtcNow() - file.LastWriteTimeUtc > _abandonedAfter)
                    DeleteTemporary(file.FullName);
            }

            _prepared = true;
        }
    }

    private static void DeleteTemporary(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is no object, and a later writer removes it; what went wrong before matters more.
        }
    }
}
