using BackupEngine.Format;

namespace BackupEngine.Chunking;

/// <summary>How a volume is cut into chunks and pages.</summary>
/// <param name="SizeBytes">Size of the volume.</param>
/// <param name="ChunkSize">Bytes in a chunk; the last may be shorter.</param>
internal readonly record struct VolumeGeometry(long SizeBytes, int ChunkSize)
{
    /// <summary>Pages of one volume; bounds what the page table can grow to (32 PiB at 64 KiB chunks).</summary>
    public const long MaxPages = int.MaxValue;

    public long PageSize => (long)ChunkSize * PageFormat.ChunksPerPage;

    public long ChunkCount => DivideUp(SizeBytes, ChunkSize);

    public long PageCount => DivideUp(SizeBytes, PageSize);

    public bool IsSupported => SizeBytes >= 0 && SizeBytes <= MaxPages * PageSize;

    /// <summary>Bytes in a chunk: the chunk size, or what is left for the last.</summary>
    public int GetChunkLength(long chunk) => (int)Math.Min(ChunkSize, SizeBytes - (chunk * ChunkSize));

    /// <summary>Chunks of a page that lie within the volume.</summary>
    public int GetChunksInPage(long page) => (int)Math.Min(PageFormat.ChunksPerPage, ChunkCount - (page * PageFormat.ChunksPerPage));

    private static long DivideUp(long value, long divisor) => (value / divisor) + (value % divisor == 0 ? 0 : 1);
}
