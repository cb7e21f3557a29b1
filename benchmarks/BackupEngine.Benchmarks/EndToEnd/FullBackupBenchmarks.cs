using BackupEngine.Benchmarks.Running;
using BackupEngine.Compression;
using BackupEngine.ObjectStores;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>Full backup of the volume into an empty repository.</summary>
public class FullBackupBenchmarks : EndToEndBenchmarks
{
    private IObjectStore? _store;
    private BackupRepository? _repository;

    [Params("lz4", "zstd:1", "none")]
    public string Compression { get; set; } = "lz4";

    [ParamsSource(nameof(WorkerCounts))]
    public int Workers { get; set; }

    public static IEnumerable<int> WorkerCounts => Scale.Select([.. new[] { Environment.ProcessorCount, 1 }.Distinct()]);

    [GlobalSetup]
    public Task SetupAsync() => CreateWorkplaceAsync();

    [IterationSetup]
    public void MakeRepository() => Wait(MakeRepositoryAsync());

    [Benchmark]
    public async Task<long> FullAsync()
    {
        if (!ChunkCompression.TryParse(Compression, out ChunkCompression compression))
            throw new UsageException($"{Compression} is no compression");
        var options = Workplace.FullOptions with { Compression = compression, Workers = Workers };
        return (await _repository!.BackupAsync(Workplace.Volume, options)).BytesStored;
    }

    [IterationCleanup]
    public void RemoveRepository() => Wait(Workplace.ClearAsync(_store!));

    [GlobalCleanup]
    public Task CleanUpAsync() => RemoveWorkplaceAsync();

    private async Task MakeRepositoryAsync()
    {
        _store = CreateStore();
        _repository = await BackupRepository.CreateAsync(_store);
    }
}
