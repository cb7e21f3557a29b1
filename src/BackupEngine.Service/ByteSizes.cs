namespace BackupEngine.Service;

/// <summary>Sizes as the API counts them.</summary>
internal static class ByteSizes
{
    public const long BytesInGiB = 1L << 30;

    /// <summary>GiB, rounded up.</summary>
    public static long GiB(long bytes) => (bytes + BytesInGiB - 1) / BytesInGiB;
}
