using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace BackupEngine.ObjectStores;

/// <summary>
/// Space that a directory store holds back, so that what removes data can still be written when the disk is full: deletes and prunes put marks and change records before
/// they free anything. The reserve is a file that is given up for such a put and made anew when there is room again.
/// </summary>
/// <remarks>What takes no space counts for nothing, so the content is random: file systems compress and leave out zeros.</remarks>
internal sealed class DirectoryReserve(string root)
{
    /// <summary>The file that holds the space; <c>~</c> is in no key, so it is no object.</summary>
    public const string FileName = ".reserve~";

    public const int SizeBytes = 1 << 20;

    /// <summary>As often the reserve must fit into what is free before it is made: it never takes the last space from a put.</summary>
    private const int MinFreeReserves = 4;

    private readonly string _path = Path.Join(root, FileName);
    private volatile bool _isThere;

    /// <summary>Makes the reserve when there is none and ample room. A store without one works: its reserve is missing only when the disk is full.</summary>
    /// <param name="temporary">Where the file is written before it gets its name.</param>
    public void Ensure(string temporary)
    {
        if (_isThere)
            return;
        try
        {
            if (File.Exists(_path) || (new DriveInfo(root).AvailableFreeSpace >= MinFreeReserves * (long)SizeBytes && Make(temporary)))
                _isThere = true;
        }
        catch (Exception e) when (DirectoryErrors.Covers(e) || e is ArgumentException)
        {
            // No room, a quota, a directory that is not a drive's: the put that this follows is done.
        }
    }

    /// <summary>Gives the space back to the disk.</summary>
    public void Release()
    {
        _isThere = false;
        File.Delete(_path);

        // Some file systems free space only when the removal is on disk.
        AtomicFiles.SyncDirectory(root);
    }

    /// <returns>True: it is there, by this process or another.</returns>
    private bool Make(string temporary)
    {
        try
        {
            byte[] content = new byte[SizeBytes];
            RandomNumberGenerator.Fill(content);
            using (SafeFileHandle handle = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
                RandomAccess.Write(handle, content, 0);
            AtomicFiles.TryCreate(temporary, _path);
            return true;
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
