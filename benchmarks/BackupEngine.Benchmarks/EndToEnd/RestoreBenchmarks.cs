using BackupEngine.Benchmarks.Data;
using BackupEngine.Catalog;
using BackupEngine.Volumes;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>Restores of an incremental: into a new file; and onto a volume that is as the full was, where only the difference is written.</summary>
public class RestoreBenchmarks : EndToEndBenchmarks
{
    private BackupRepository? _repository;
    private Backup? _incremental;
    private string _target = "";

    [GlobalSetup]
    public async Task SetupAsync()
    {
        await CreateWorkplaceAsync();
        (_repository, Backup full) = await Workplace.CreateRepositoryAsync(CreateStore());
        _incremental = await _repository.BackupAsync(Workplace.Changed, Workplace.FullOptions with { ParentId = full.Id });
        _target = Workplace.PathOf("target.img");
    }

    [Benchmark]
    public async Task<long> NewFileAsync()
    {
        await using FileVolume target = FileVolume.Create(_target, _incremental!.SizeBytes);
        return (await _repository!.RestoreAsync(_incremental.Id, target)).BytesWritten;
    }

    [IterationSetup(Target = nameof(DifferentialAsync))]
    public void CopyVolume() => Wait(SyntheticImage.CopyAsync(Workplace.Volume.Name, _target));

    [Benchmark]
    public async Task<long> DifferentialAsync()
    {
        await using FileVolume target = FileVolume.OpenWrite(_target);
        return (await _repository!.RestoreAsync(_incremental!.Id, target, new RestoreOptions { Differential = true })).BytesWritten;
    }

    [IterationCleanup]
    public void RemoveTarget() => File.Delete(_target);

    [GlobalCleanup]
    public Task CleanUpAsync() => RemoveWorkplaceAsync();
}
