namespace BackupEngine.Format;

/// <summary>Sizes of pages; docs/format.md "Page".</summary>
internal static class PageFormat
{
    /// <summary>Consecutive chunks that one page maps.</summary>
    public const int ChunksPerPage = 256;

    /// <summary>Bytes of a digest in the page table: the checksum of the page's frame.</summary>
    public const int PageDigestLength = 8;

    /// <summary>A page's plain bytes are never more: 256 entries of 5 varints and a digest each, and the runs.</summary>
    public const int MaxPageLength = ChunksPerPage * ((5 * 5) + 32 + 2) + 16;
}
