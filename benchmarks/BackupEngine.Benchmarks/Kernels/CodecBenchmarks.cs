using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Compression;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Kernels;

/// <summary>Encoding and decoding of 4 MiB of typical data, cut into chunks of different sizes.</summary>
public class CodecBenchmarks : IDisposable
{
    private const int TotalLength = 4 << 20;
    private readonly List<(Codec Codec, byte[] Stored)> _frames = [];
    private byte[] _data = [];
    private byte[] _room = [];
    private ChunkCompressor? _compressor;
    private ChunkDecompressor? _decompressor;

    [Params("none", "lz4", "zstd:1", "zstd:3")]
    public string Compression { get; set; } = "lz4";

    [ParamsSource(nameof(ChunkKiBs))]
    public int ChunkKiB { get; set; }

    public static IEnumerable<int> ChunkKiBs => Scale.Select(64, 4, 16, 128, 1024);

    private int ChunkLength => ChunkKiB << 10;

    [GlobalSetup]
    public void Setup()
    {
        if (!ChunkCompression.TryParse(Compression, out ChunkCompression compression))
            throw new UsageException($"{Compression} is no compression");
        _data = SyntheticData.Create(TotalLength);
        _compressor = new ChunkCompressor(compression);
        _decompressor = new ChunkDecompressor();
        _room = new byte[_compressor.GetMaxLength(ChunkLength)];
        for (int offset = 0; offset < TotalLength; offset += ChunkLength)
        {
            Codec codec = _compressor.Compress(_data.AsSpan(offset, ChunkLength), _room, out int length);
            _frames.Add((codec, _room.AsSpan(0, length).ToArray()));
        }

        double share = _frames.Sum(frame => (double)frame.Stored.Length) / TotalLength;
        Console.WriteLine($"// {Compression} at {ChunkKiB} KiB stores {share:P1}");
    }

    [Benchmark]
    public int Encode()
    {
        int total = 0;
        for (int offset = 0; offset < TotalLength; offset += ChunkLength)
        {
            _compressor!.Compress(_data.AsSpan(offset, ChunkLength), _room, out int length);
            total += length;
        }

        return total;
    }

    [Benchmark]
    public bool Decode()
    {
        bool whole = true;
        foreach ((Codec codec, byte[] stored) in _frames)
            whole &= _decompressor!.TryDecompress(codec, stored, _room.AsSpan(0, ChunkLength));
        return whole;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _frames.Clear();
        _compressor?.Dispose();
        _decompressor?.Dispose();
        GC.SuppressFinalize(this);
    }
}
