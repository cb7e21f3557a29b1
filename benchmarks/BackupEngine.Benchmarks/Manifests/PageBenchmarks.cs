using BackupEngine.Benchmarks.Data;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Manifests;

/// <summary>The map of 16 MiB of volume, written and read.</summary>
public class PageBenchmarks
{
    private readonly ChunkHasher _hasher = new(ChunkHash.XxHash128, seed: 42);
    private readonly byte[] _room = new byte[PageFormat.MaxPageLength];
    private readonly Page _decoded = new();
    private Page _page = new();
    private byte[] _bytes = [];

    /// <summary>Whether frames come from many packs, with zeros between, or one after the other from one.</summary>
    [Params(false, true)]
    public bool Fragmented { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _page = Fragmented
            ? SyntheticMap.CreateFragmentedPage(seed: 1)
            : SyntheticMap.CreatePage(SyntheticData.Create(PageFormat.ChunksPerPage * ChunkSizes.Default), _hasher);
        _bytes = _room[..Encode()];
    }

    [Benchmark]
    public int Encode() => _page.Encode(_room, _hasher.DigestLength);

    [Benchmark]
    public bool Decode() => _decoded.TryDecode(_bytes, _hasher.DigestLength);
}
