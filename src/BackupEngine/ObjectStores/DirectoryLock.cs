namespace BackupEngine.ObjectStores;

/// <summary>
/// Lets one process replace a file of a directory store by condition, between looking and replacing, while no other replaces or removes any. Each holds it for
/// microseconds, and never while it waits for the disk; the system frees that of a process that dies. Where the file system knows no locks there is none.
/// </summary>
internal sealed class DirectoryLock(string root)
{
    /// <summary>The file that is locked; <c>~</c> is in no key, so it is no object. It stays: one that is made anew would be another lock.</summary>
    public const string FileName = ".lock~";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly string _path = Path.Join(root, FileName);

    /// <summary>For those who replace or remove files without a condition; any number at once.</summary>
    /// <returns>Frees it when disposed; null when the store is so full that not even this file can be made, and removing must go on.</returns>
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
    /// <exception cref="IOException">Another has it for a minute.</exception>
    public FileStream Take(CancellationToken cancellationToken) => Open(FileAccess.ReadWrite, FileShare.None, cancellationToken);

    private FileStream Open(FileAccess access, FileShare share, CancellationToken cancellationToken)
    {
        long start = Environment.TickCount64;
        while (true)
        {
            try
            {
                return new FileStream(_path, FileMode.OpenOrCreate, access, share, bufferSize: 0);
            }
            catch (IOException e) when (DirectoryErrors.IsLocked(e))
            {
                if (Environment.TickCount64 - start > _patience.TotalMilliseconds)
                    throw new IOException($"another process has kept {_path} locked for a minute; does it stand still?", e);
            }

            cancellationToken.WaitHandle.WaitOne(1);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
