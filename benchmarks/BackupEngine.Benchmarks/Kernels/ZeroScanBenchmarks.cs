using BackupEngine.Benchmarks.Running;
using BackupEngine.Chunking;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Kernels;

/// <summary>The zero test of a chunk: all of it when it is zero, next to nothing when it is data.</summary>
public class ZeroScanBenchmarks
{
    private byte[] _zeros = [];
    private byte[] _lastByteSet = [];

    [ParamsSource(nameof(ChunkKiBs))]
    public int ChunkKiB { get; set; }

    public static IEnumerable<int> ChunkKiBs => Scale.Select(64, 4, 1024);

    [GlobalSetup]
    public void Setup()
    {
        _zeros = new byte[ChunkKiB << 10];
        _lastByteSet = new byte[ChunkKiB << 10];
        _lastByteSet[^1] = 1;
    }

    [Benchmark]
    public bool Zeros() => ZeroScan.IsZero(_zeros);

    [Benchmark]
    public bool DataInTheLastByte() => ZeroScan.IsZero(_lastByteSet);
}
