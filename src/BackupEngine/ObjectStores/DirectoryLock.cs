namespace BackupEngine.ObjectStores;

/// <summary>
/// Lets one process replace a file of a directory store by condition, between looking and replacing, while no other replaces or removes a file that it could be. Each
/// holds it for a few system calls, and never while it waits for the disk; the system frees that of a process that dies. Where the file system knows no locks, or (SMB)
/// none that the runtime sees, there is none.
/// </summary>
internal sealed class DirectoryLock(string root, TimeProvider clock)
{
    /// <summary>The file that is locked; <c>~</c> is in no key, so it is no object. It stays: one that is made anew would be another lock.</summary>
    public const string FileName = ".lock~";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly string _path = Path.Join(root, FileName);

    /// <summary>For those who replace or remove files without a condition; any number at once.</summary>
    /// <returns>Frees it when disposed; null when the store is so full that not even this file can be made, and removing must go on.</returns>
    /// <exception cref="DirectoryLockedException">Another has it alone for a minute.</exception>
    public FileStream? Share(CancellationToken cancellationToken)
    {
        try
        {
            return Open(FileAccess.Read, FileShare.Read, cancellationToken);
        }
        catch (IOException e) when (DirectoryErrors.IsFull(e))
        {
            return null;
        }
    }

    /// <summary>For one that looks before it replaces.</summary>
    /// <exception cref="DirectoryLockedException">Others have it for a minute.</exception>
    public FileStream Take(CancellationToken cancellationToken)
    {
        try
        {
            // Network file systems lock for one alone only what can be written.
            return Open(FileAccess.ReadWrite, FileShare.None, cancellationToken);
        }
        catch (UnauthorizedAccessException) when (File.Exists(_path))
        {
            return Open(FileAccess.Read, FileShare.None, cancellationToken);
        }
    }

    private FileStream Open(FileAccess access, FileShare share, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            try
            {
                // Another user's can be opened where a new one could not be made.
                return new FileStream(_path, File.Exists(_path) ? FileMode.Open : FileMode.OpenOrCreate, access, share, bufferSize: 0);
            }
            catch (IOException e) when (DirectoryErrors.IsLocked(e))
            {
                if (clock.GetElapsedTime(start) > _patience)
                    throw new DirectoryLockedException($"{_path} has been locked by others for a minute; does a process that uses this directory stand still?", e);
            }

            cancellationToken.WaitHandle.WaitOne(1);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>A store's lock was not to be had in time; later it may be.</summary>
internal sealed class DirectoryLockedException(string message, Exception inner) : IOException(message, inner);
