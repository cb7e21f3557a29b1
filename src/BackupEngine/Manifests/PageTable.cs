using BackupEngine.Hashing;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// Where the page of every 256 chunks is. Blocks of the table exist only where a page is mapped, so holes of any size cost nothing.
/// Not safe for writing from many threads; its owner locks.
/// </summary>
internal sealed class PageTable
{
    /// <summary>No page: more than any number, also than those of a volume that has grown since.</summary>
    public const long None = long.MaxValue;

    private const int BlockLength = 2048;
    private readonly PageEntry[]?[] _blocks;

    public PageTable(long pageCount)
    {
        PageCount = pageCount;
        _blocks = new PageEntry[]?[(int)((pageCount + BlockLength - 1) / BlockLength)];
    }

    public long PageCount { get; }

    /// <summary>What is known of a page; the default value is a page of zeros. Pages past the table's end are that too.</summary>
    public PageEntry this[long page]
    {
        get => page < PageCount && _blocks[page / BlockLength] is { } block ? block[page % BlockLength] : default;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(page, PageCount);
            ref PageEntry[]? block = ref _blocks[page / BlockLength];
            if (block is null && value.IsZero)
                return;
            (block ??= new PageEntry[BlockLength])[page % BlockLength] = value;
        }
    }

    /// <summary>The first page at or after <paramref name="page"/> that is not all zeros, or <see cref="None"/>.</summary>
    public long FindMapped(long page)
    {
        while (page < PageCount)
        {
            if (_blocks[page / BlockLength] is not { } block)
            {
                page = (page / BlockLength + 1) * BlockLength;
                continue;
            }

            long end = Math.Min(PageCount, (page / BlockLength + 1) * BlockLength);
            for (; page < end; page++)
            {
                if (!block[page % BlockLength].IsZero)
                    return page;
            }
        }

        return None;
    }

    /// <summary>The numbers of all pages that are not all zeros, ascending.</summary>
    public IEnumerable<long> MappedPages()
    {
        for (long page = FindMapped(0); page < PageCount; page = FindMapped(page + 1))
            yield return page;
    }

    /// <summary>A table of another length with the same entries, as far as it reaches.</summary>
    public PageTable Resize(long pageCount)
    {
        var copy = new PageTable(pageCount);
        for (long page = FindMapped(0); page < Math.Min(PageCount, pageCount); page = FindMapped(page + 1))
            copy[page] = this[page];
        return copy;
    }
}

/// <summary>Where a page's frame is, and its checksum.</summary>
internal readonly record struct PageEntry(FrameLocation Location, ulong Checksum)
{
    public bool IsZero => Location.IsZero;

    public ChunkDigest Digest
    {
        get
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, Checksum);
            return ChunkDigest.FromBytes(bytes);
        }
    }
}
