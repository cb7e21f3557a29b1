using BackupEngine.Catalog;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Limits;

/// <summary>Alone, because it looks at the memory of the process.</summary>
[CollectionDefinition(nameof(ManyOperationsTests), DisableParallelization = true)]
[Collection(nameof(ManyOperationsTests))]
public sealed class ManyOperationsTests : IDisposable
{
    private const long BudgetBytes = 128L << 20;

    /// <summary>What the process may grow by besides: lists, tables, requests, and garbage that has not been collected.</summary>
    private const long SlackBytes = 192L << 20;

    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fifty_operations_at_once_keep_to_the_memory_of_the_process()
    {
        await using var store = new DirectoryObjectStore(_directory.File("store"));
        var limits = new OperationLimits(new OperationLimitOptions { MaxMemoryBytes = BudgetBytes });
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { Limits = limits }, Repositories.Token);
        byte[] content = Repositories.Noise(8 << 20);
        bool[] allocated = [.. Enumerable.Repeat(true, content.Length / 4096)];
        Backup parent = await repository.FullAsync(new MemoryVolume(content, allocated, 4096));

        GC.Collect();
        long before = Environment.WorkingSet;
        var progress = new Sampler(limits);
        Task<Backup>[] backups = [.. Enumerable.Range(0, 25).Select(i => repository.BackupAsync(
            new MemoryVolume(content, allocated, 4096), new BackupOptions { VolumeId = $"volume-{i}", MaxMemoryBytes = 1L << 30 }, progress, Repositories.Token))];
        Task<RestoreResult>[] restores = [.. Enumerable.Range(0, 24).Select(RestoreAsync)];
        Task<VerifyReport> verification = repository.VerifyAsync(new VerifyOptions { BackupId = parent.Id, Deep = true }, progress, Repositories.Token);
        await Task.WhenAll([.. backups, .. restores, verification]);

        Assert.InRange(limits.PeakBufferBytes, 1, BudgetBytes);
        Assert.Equal(0, limits.BufferBytes);
        Assert.Equal(BudgetBytes, limits.Budget.Free.Bytes);
        Assert.True(progress.MostWaiting > 20, $"{progress.MostWaiting} waited: the memory was too much to be a test");
        Assert.True(progress.PeakWorkingSet - before < BudgetBytes + SlackBytes, $"The process grew from {before} to {progress.PeakWorkingSet} bytes.");
        TestContext.Current.SendDiagnosticMessage(
            $"peak of buffers {limits.PeakBufferBytes >> 20} MiB of {BudgetBytes >> 20}, working set {before >> 20} to {progress.PeakWorkingSet >> 20} MiB, {progress.MostWaiting} waited");

        Assert.Empty((await verification).Findings);
        Assert.All(restores, restore => Assert.Equal(content.Length, restore.Result.BytesWritten));
        for (int i = 0; i < restores.Length; i++)
            VolumeAssert.Same(content, await File.ReadAllBytesAsync(_directory.File($"{i}.img"), Repositories.Token), $"restore {i}");
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);

        async Task<RestoreResult> RestoreAsync(int i)
        {
            await using FileVolume target = FileVolume.Create(_directory.File($"{i}.img"), content.Length);
            return await repository.RestoreAsync(parent.Id, target, new RestoreOptions { MaxMemoryBytes = 1L << 30 }, progress, Repositories.Token);
        }
    }

    private sealed class Sampler(OperationLimits limits) : IProgress<BackupProgress>
    {
        private readonly Lock _lock = new();

        public long PeakWorkingSet { get; private set; }

        public int MostWaiting { get; private set; }

        public void Report(BackupProgress value)
        {
            lock (_lock)
            {
                PeakWorkingSet = Math.Max(PeakWorkingSet, Environment.WorkingSet);
                MostWaiting = Math.Max(MostWaiting, limits.WaitingOperations);
            }
        }
    }
}
