namespace BackupEngine.Service.Volumes;

/// <summary>The size of a block device, which its directory entry does not tell.</summary>
internal static class DeviceSize
{
    /// <summary>The size in bytes; 0 when it cannot be told.</summary>
    public static long Of(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return stream.Seek(0, SeekOrigin.End);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
