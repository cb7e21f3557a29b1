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

    [Params(ChunkHash.XxHash128, ChunkHash.Sha256)]
    public ChunkHash Algorithm { get; set; }

    [ParamsSource(nameof(ChunkKiBs))]
    public int ChunkKiB { get; set; }

    public static IEnumerable<int> ChunkKiBs => Scale.Select(64, 4, 1024);

    [GlobalSetup]
    public void Setup()
    {
        _chunk = SyntheticData.Create(ChunkKiB << 10);
        _hasher = new ChunkHasher(Algorithm, Seed: 42);
    }

    [Benchmark]
    public int Hash() => _hasher.Hash(_chunk).GetHashCode();
}
