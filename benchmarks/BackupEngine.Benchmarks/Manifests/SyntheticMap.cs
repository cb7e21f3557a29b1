using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;

namespace BackupEngine.Benchmarks.Manifests;

/// <summary>Maps as backups make them, without the data.</summary>
internal static class SyntheticMap
{
    /// <summary>A typical frame: a chunk of 64 KiB under LZ4, with its header.</summary>
    private const int TypicalFrameLength = 28_000;

    private const int PackLength = 32 << 20;

    /// <summary>The page of a region whose chunks are all data, one frame after the other in one pack.</summary>
    public static Page CreatePage(ReadOnlySpan<byte> region, ChunkHasher hasher)
    {
        var page = new Page();
        uint offset = PackFormat.HeaderSize;
        for (int chunk = 0; chunk < PageFormat.ChunksPerPage; chunk++)
        {
            var location = new FrameLocation(0, 1, offset, (uint)(TypicalFrameLength + (chunk % 64)));
            page[chunk] = new MapEntry(location, hasher.Hash(region.Slice(chunk * ChunkSizes.Default, ChunkSizes.Default)));
            offset += location.Length;
        }

        return page;
    }

    /// <summary>A page in which data and zeros take turns, and every fourth run is from another pack: what a volume looks like after years.</summary>
    public static Page CreateFragmentedPage(int seed)
    {
        var random = new Random(seed);
        var page = new Page();
        Span<byte> digest = stackalloc byte[16];
        for (int chunk = 0; chunk < PageFormat.ChunksPerPage;)
        {
            int run = random.Next(1, 12);
            bool isZeros = random.Next(3) == 0;
            uint sequence = random.Next(4) == 0 ? (uint)random.Next(1, 1000) : 7;
            uint offset = (uint)random.Next(PackFormat.HeaderSize, PackLength / 2);
            for (; run > 0 && chunk < PageFormat.ChunksPerPage; run--, chunk++)
            {
                if (isZeros)
                    continue;
                random.NextBytes(digest);
                var location = new FrameLocation((uint)random.Next(3), sequence, offset, (uint)random.Next(10_000, 65_000));
                page[chunk] = new MapEntry(location, ChunkDigest.FromBytes(digest));
                offset += location.Length;
            }
        }

        return page;
    }

    /// <summary>The manifest of a full backup of a volume without holes.</summary>
    public static Manifest CreateManifest(long volumeSize)
    {
        var geometry = new VolumeGeometry(volumeSize, ChunkSizes.Default);
        var backupId = new Guid("6f1c7a52-6f0e-4a55-9f0a-0c5d7f6f7b11");
        var packs = new PackTable();
        long packCount = (geometry.ChunkCount * TypicalFrameLength / PackLength) + 1;
        for (uint sequence = 1; sequence <= packCount; sequence++)
            packs.Add(new PackId(0, sequence), new PackUse(PackLength, PackLength - 40_000));

        // Pages lie one after the other in packs of their own, each as long as 256 entries take.
        const uint PageFrameLength = 4_900;
        const uint PagesPerPack = (PackLength - 4096) / PageFrameLength;
        var random = new Random(1);
        var pages = new PageTable(geometry.PageCount);
        for (long page = 0; page < geometry.PageCount; page++)
        {
            uint sequence = (uint)(packCount + 1 + (page / PagesPerPack));
            uint offset = PackFormat.HeaderSize + ((uint)(page % PagesPerPack) * PageFrameLength);
            pages[page] = new PageEntry(new FrameLocation(0, sequence, offset, PageFrameLength), (ulong)random.NextInt64());
        }

        return new Manifest
        {
            BackupId = backupId,
            ParentId = null,
            VolumeId = "benchmark",
            Geometry = geometry,
            Hasher = new ChunkHasher(ChunkHash.XxHash128, seed: 42),
            Backups = [backupId],
            Packs = packs,
            Pages = pages,
        };
    }
}
