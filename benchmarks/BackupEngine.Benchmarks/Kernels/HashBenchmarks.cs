using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Hashing;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Kernels;

/// <summary>The hash of one chunk.</summary>
public class HashBenchmarks
{
    private byte[] _chunk = [];
    private ChunkHasher _hasher = new(ChunkHash.XxHash128, 0);
    private Blake3.Hasher? _keyed;

    [Params(ChunkHash.Blake3, ChunkHash.XxHash128, ChunkHash.Sha256)]
    public ChunkHash Algorithm { get; set; }

    [ParamsSource(nameof(ChunkKiBs))]
    public int ChunkKiB { get; set; }

    public static IEnumerable<int> ChunkKiBs => Scale.Select(64, 4, 1024);

    [GlobalSetup]
    public void Setup()
    {
        _chunk = SyntheticData.Create(ChunkKiB << 10);
        _hasher = new ChunkHasher(Algorithm, ChainKey.CreateRandom(Algorithm));
        _keyed = Blake3.Hasher.NewKeyed(new byte[ChainKey.Length]);
    }

    [Benchmark]
    public int Hash() => _hasher.Hash(_chunk).GetHashCode();

    /// <summary>What the library's own keyed mode over the whole chunk would cost (docs/decisions/0024), whatever the algorithm.</summary>
    [Benchmark]
    public int LibraryKeyed()
    {
        Span<byte> digest = stackalloc byte[16];
        _keyed!.Reset();
        _keyed.Update(_chunk);
        _keyed.Finalize(digest);
        return digest[0];
    }
}
