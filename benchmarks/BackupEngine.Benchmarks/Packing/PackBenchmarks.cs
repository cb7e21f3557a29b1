using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Manifests;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Pipelines;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Packing;

/// <summary>One pack of 8 MiB of plain chunks: built frame by frame in its buffer; and fetched from memory, decoded and checked.</summary>
public class PackBenchmarks : IDisposable
{
    private const int PlainLength = 8 << 20;
    private static PackId Id => new(0, 1);
    private readonly Guid _backupId = new("6f1c7a52-6f0e-4a55-9f0a-0c5d7f6f7b11");
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _chunk = new byte[ChunkSizes.Default];
    private byte[] _data = [];
    private NativeBuffer? _buffer;
    private ChunkCompressor? _compressor;
    private ChunkFetcher? _fetcher;
    private WantedChunk[] _wanted = [];
    private List<FetchRange> _ranges = [];

    [Params("lz4", "none")]
    public string Compression { get; set; } = "lz4";

    [GlobalSetup]
    public async Task SetupAsync()
    {
        if (!ChunkCompression.TryParse(Compression, out ChunkCompression compression))
            throw new UsageException($"{Compression} is no compression");
        _data = SyntheticData.Create(PlainLength);
        _buffer = new NativeBuffer(16 << 20);
        _compressor = new ChunkCompressor(compression);

        Manifest manifest = SyntheticMap.CreateManifest(PlainLength);
        var wanted = new List<WantedChunk>();
        PackWriter pack = Append((chunk, location) =>
            wanted.Add(new WantedChunk(chunk, location, manifest.Hasher.Hash(_data.AsSpan((int)chunk * ChunkSizes.Default, ChunkSizes.Default)))));
        await _store.PutAsync(manifest.GetPackKey(Id), pack.Finish());
        _wanted = [.. wanted];
        _ranges = FetchPlan.Build(_wanted, 4 << 20);
        _fetcher = new ChunkFetcher(_store, manifest, 4 << 20);
    }

    [Benchmark]
    public int Write() => Append(null).Finish().Length;

    [Benchmark]
    public async Task ReadAsync()
    {
        foreach (FetchRange range in _ranges)
        {
            await _fetcher!.FetchAsync(range, CancellationToken.None);
            for (int index = range.First; index < range.First + range.Count; index++)
                _fetcher.Decode(_wanted[index], _chunk);
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        ((IDisposable?)_buffer)?.Dispose();
        _compressor?.Dispose();
        _fetcher?.Dispose();
        GC.SuppressFinalize(this);
    }

    private PackWriter Append(Action<long, FrameLocation>? appended)
    {
        var pack = new PackWriter(_buffer!, Id, _backupId);
        for (long chunk = 0; chunk * ChunkSizes.Default < PlainLength; chunk++)
        {
            if (pack.TryAppendChunk(_compressor!, chunk, _data.AsSpan((int)chunk * ChunkSizes.Default, ChunkSizes.Default), out FrameLocation location))
                appended?.Invoke(chunk, location);
        }

        return pack;
    }
}
