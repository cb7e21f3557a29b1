using BackupEngine.Catalog;
using BackupEngine.Volumes;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>Incrementals on one full backup; each is deleted again.</summary>
public class IncrementalBackupBenchmarks : EndToEndBenchmarks
{
    private BackupRepository? _repository;
    private Backup? _full;
    private Backup? _incremental;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        await CreateWorkplaceAsync();
        (_repository, _full) = await Workplace.CreateRepositoryAsync(CreateStore());
    }

    /// <summary>The whole volume is read, and nothing is found.</summary>
    [Benchmark]
    public Task<long> UnchangedAsync() => BackUpAsync(Workplace.Volume, changedExtents: null);

    /// <summary>The whole volume is read, and 2 % of its bytes have changed.</summary>
    [Benchmark]
    public Task<long> TwoPercentChangedAsync() => BackUpAsync(Workplace.Changed, changedExtents: null);

    /// <summary>The same change, but the caller says where.</summary>
    [Benchmark]
    public Task<long> ChangedExtentsAsync() => BackUpAsync(Workplace.Changed, Workplace.ChangedExtents);

    [IterationCleanup]
    public void DeleteIncremental() => Wait(_repository!.DeleteAsync(_incremental!.Id));

    [GlobalCleanup]
    public Task CleanUpAsync() => RemoveWorkplaceAsync();

    private async Task<long> BackUpAsync(FileVolume volume, IReadOnlyList<VolumeExtent>? changedExtents)
    {
        var options = Workplace.FullOptions with { ParentId = _full!.Id, ChangedExtents = changedExtents };
        _incremental = await _repository!.BackupAsync(volume, options);
        return _incremental.BytesStored;
    }
}
