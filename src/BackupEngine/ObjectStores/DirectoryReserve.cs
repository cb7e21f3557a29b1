using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.ObjectStores;

/// <summary>
/// Space that a directory store holds back, so that what removes data can still be written when the disk is full: deletes and prunes put marks and change records before
/// they free anything. The reserve is a file. It is emptied for such a put, and filled when there is ample room again; while it is empty, other puts leave as much space.
/// </summary>
/// <remarks>What takes no space counts for nothing, so the content is random: file systems compress and leave out zeros.</remarks>
internal sealed class DirectoryReserve(string root)
{
    /// <summary>The file that holds the space; <c>~</c> is in no key, so it is no object.</summary>
    public const string FileName = ".reserve~";

    public const int SizeBytes = 1 << 20;

    /// <summary>As often the reserve must fit into what is free before it is filled: it never takes the last space from a put.</summary>
    private const int MinFreeReserves = 4;

    private readonly string _path = Path.Join(root, FileName);

    /// <summary>Refuses a put that would take space that belongs to the reserve.</summary>
    /// <exception cref="IOException">The disk is full.</exception>
    public void ThrowIfNeeded(long sizeBytes)
    {
        FileInfo file = new(_path);
        if (file.Exists && file.Length < SizeBytes && GetFreeBytes() < SizeBytes + sizeBytes)
            throw DirectoryErrors.CreateFull();
    }

    /// <summary>Fills the reserve when it is empty and there is ample room. A store that was always too small has none.</summary>
    /// <param name="temporary">Where the file is written before it gets its name.</param>
    public void Fill(string temporary)
    {
        try
        {
            FileInfo file = new(_path);
            if ((file.Exists && file.Length >= SizeBytes) || GetFreeBytes() < MinFreeReserves * (long)SizeBytes)
                return;
            byte[] content = new byte[SizeBytes];
            RandomNumberGenerator.Fill(content);
            try
            {
                using (SafeFileHandle handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                    RandomAccess.Write(handle, content, 0);
                AtomicFiles.Replace(temporary, _path);
            }
            finally
            {
                File.Delete(temporary);
            }
        }
        catch (Exception e) when (DirectoryErrors.Covers(e))
        {
            // A quota, or another process at this moment: the put that this follows is done.
        }
    }

    /// <summary>Gives the space back to the disk. No reserve, or one that another process has just emptied, is no error.</summary>
    public void Release()
    {
        try
        {
            using SafeFileHandle handle = File.OpenHandle(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            RandomAccess.SetLength(handle, 0);
        }
        catch (FileNotFoundException)
        {
            return;
        }

        // Some file systems free space only when the change is on disk.
        AtomicFiles.SyncDirectory(root);
    }

    /// <returns>The largest number where the system does not tell.</returns>
    private long GetFreeBytes()
    {
        try
        {
            return new DriveInfo(root).AvailableFreeSpace;
        }
        catch (Exception e) when (DirectoryErrors.Covers(e) || e is ArgumentException)
        {
            return long.MaxValue;
        }
    }
}
