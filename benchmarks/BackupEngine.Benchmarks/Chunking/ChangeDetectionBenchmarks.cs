using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Manifests;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Volumes;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Chunking;

/// <summary>What an incremental does with a region that has not changed, but for reading it; and what it does with the caller's extents.</summary>
public class ChangeDetectionBenchmarks
{
    private const long TiB = 1L << 40;
    private readonly ChunkHasher _hasher = new(ChunkHash.XxHash128, seed: 42);
    private readonly VolumeGeometry _geometry = new(TiB, ChunkSizes.Default);
    private readonly Page _page = new();
    private byte[] _region = [];
    private byte[] _parentPage = [];
    private VolumeExtent[] _extents = [];

    [ParamsSource(nameof(ExtentCounts))]
    public int Extents { get; set; }

    public static IEnumerable<int> ExtentCounts => Scale.Select(1_000, 100_000);

    [GlobalSetup]
    public void Setup()
    {
        _region = SyntheticData.Create((int)_geometry.PageSize);
        byte[] room = new byte[PageFormat.MaxPageLength];
        _parentPage = room[..SyntheticMap.CreatePage(_region, _hasher).Encode(room, _hasher.DigestLength)];
        var random = new Random(1);
        _extents = [.. Enumerable.Range(0, Extents).Select(_ => new VolumeExtent(random.NextInt64((TiB / 4096) - 1) * 4096, 4096))];
    }

    /// <summary>16 MiB: decode the parent's page, then zero test, hash and comparison of 256 chunks.</summary>
    [Benchmark]
    public int UnchangedRegion()
    {
        if (!_page.TryDecode(_parentPage, _hasher.DigestLength))
            return -1;
        int changed = 0;
        for (int chunk = 0; chunk < PageFormat.ChunksPerPage; chunk++)
        {
            ReadOnlySpan<byte> plain = _region.AsSpan(chunk * ChunkSizes.Default, ChunkSizes.Default);
            if (ZeroScan.IsZero(plain) || _hasher.Hash(plain) != _page[chunk].Digest)
                changed++;
        }

        return changed;
    }

    /// <summary>Extents in no order over 1 TiB, sorted and joined.</summary>
    [Benchmark]
    public int JoinChangedExtents() => ChangedChunks.Join(_extents, _geometry, _geometry).Count;
}
