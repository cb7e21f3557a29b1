using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BackupEngine.Tests.Limits;

public sealed class SharedLimitsTests : IAsyncDisposable
{
    private const long MiB = 1 << 20;
    private readonly InMemoryObjectStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [LongRunning]
    [Theory]
    [InlineData(4 << 10, 16, false)]
    [InlineData(64 << 10, 256, false)]
    [InlineData(64 << 10, 256, true)]
    [InlineData(4 << 20, 256, true)]
    public async Task Every_operation_keeps_to_its_share_of_the_smallest_memory(int chunkSize, int workers, bool isDifferential)
    {
        var limits = new OperationLimits(new OperationLimitOptions { MaxMemoryBytes = OperationLimitOptions.MinMemoryBytes });
        await using BackupRepository repository = await OpenAsync(limits);
        byte[] content = Repositories.Noise(40 << 20);
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, ChunkSize = chunkSize, Workers = workers, MaxMemoryBytes = 1L << 40 };
        Backup full = await repository.FullAsync(new MemoryVolume(content), options);
        content[^1]++;
        Backup incremental = await repository.FullAsync(new MemoryVolume(content), options with { Incremental = true });
        var target = new MemoryVolume(Repositories.Noise(content.Length, seed: 3));
        RestoreResult restored = await repository.RestoreAsync(
            incremental.Id, target, new RestoreOptions { Workers = workers, MaxMemoryBytes = 1L << 40, Differential = isDifferential }, cancellationToken: Repositories.Token);
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true, Workers = workers }, cancellationToken: Repositories.Token);

        VolumeAssert.Same(content, target.ToArray(), "restored in little memory");
        Assert.Empty(report.Findings);
        foreach (long peak in new[] { full.Statistics!.PeakBufferBytes, incremental.Statistics!.PeakBufferBytes, restored.Statistics.PeakBufferBytes, report.Statistics!.PeakBufferBytes })
            Assert.InRange(peak, 1, OperationLimitOptions.MinMemoryBytes);
        Assert.Equal(limits.PeakBufferBytes, new[] { full.Statistics.PeakBufferBytes, incremental.Statistics.PeakBufferBytes, restored.Statistics.PeakBufferBytes, report.Statistics.PeakBufferBytes }.Max());
        AssertAllGivenBack(limits);
    }

    [Fact]
    public async Task A_restore_that_waits_goes_before_backups_that_wait_longer()
    {
        var limits = new OperationLimits(new OperationLimitOptions { MaxWorkers = 1 });
        await using BackupRepository repository = await OpenAsync(limits);
        byte[] content = Repositories.Noise(1 << 20);
        Backup backup = await repository.FullAsync(new MemoryVolume(content));
        var order = new List<string>();
        var running = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        Task first = repository.FullAsync(Watched("first"), new BackupOptions { VolumeId = "first" });
        await running.Task;

        List<Task> all = [first];
        foreach (string name in new[] { "second", "third" })
        {
            all.Add(repository.FullAsync(Watched(name), new BackupOptions { VolumeId = name }));
            while (limits.WaitingOperations < all.Count - 1)
                await Task.Yield();
        }

        all.Add(repository.RestoreAsync(backup.Id, Watched("restore"), cancellationToken: Repositories.Token));
        while (limits.WaitingOperations < 3)
            await Task.Yield();
        go.SetResult();
        await Task.WhenAll(all);
        Assert.Equal(["first", "restore", "second", "third"], order);
        AssertAllGivenBack(limits);

        WatchedVolume Watched(string name) => new(new MemoryVolume(content), async (_, _) =>
        {
            lock (order)
            {
                if (!order.Contains(name))
                    order.Add(name);
            }

            running.TrySetResult();
            await go.Task;
        });
    }

    [Fact]
    public async Task Whoever_is_cancelled_while_it_waits_has_done_nothing()
    {
        var limits = new OperationLimits(new OperationLimitOptions { MaxWorkers = 1 });
        await using BackupRepository repository = await OpenAsync(limits);
        IReadOnlyList<string> before = await _store.ListKeysAsync();
        using ResourceShare all = await limits.Budget.TakeAsync(
            new ResourceRequest { Priority = OperationPriority.Normal, Workers = 1, MaxBytes = 1, FixedBytes = 0, WorkerBytes = 1 }, Repositories.Token);
        using var cancel = new CancellationTokenSource();
        Task<Backup> waiting = repository.BackupAsync(new MemoryVolume(1 << 20), new BackupOptions { VolumeId = "v" }, cancellationToken: cancel.Token);
        while (limits.WaitingOperations == 0)
        {
            Assert.False(waiting.IsCompleted, "the backup did not wait");
            await Task.Delay(1, Repositories.Token);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, limits.WaitingOperations);
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Operations_that_fail_at_any_call_give_back_what_they_had()
    {
        var limits = new OperationLimits(new OperationLimitOptions { MaxMemoryBytes = 64 * MiB, MaxWorkers = 4 });
        byte[] content = Repositories.Noise(3 << 20);
        bool fails = true;
        for (int call = 1; fails; call++)
        {
            Assert.True(call < 100, "The fault never ends.");
            var store = new FaultInjectingObjectStore(new InMemoryObjectStore(), seed: call) { FailingCall = call + 3, Fault = StoreFault.ErrorBefore };
            ContractObjectStore.Trust(store);
            await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { Limits = limits }, Repositories.Token);
            try
            {
                Backup backup = await repository.FullAsync(new MemoryVolume(content));
                await repository.RestoreAsync(backup.Id, new MemoryVolume(content.Length), cancellationToken: Repositories.Token);
                await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
                fails = store.HasFailed;
            }
            catch (BackupEngineException)
            {
                // Meant to happen.
            }

            AssertAllGivenBack(limits);
        }
    }

    [Fact]
    public async Task Rates_of_reading_sending_and_fetching_are_held_by_all_operations_together()
    {
        var time = new FakeTimeProvider();
        var limits = new OperationLimits(new OperationLimitOptions { ReadBytesPerSecond = 8 * MiB, UploadBytesPerSecond = 4 * MiB, DownloadBytesPerSecond = 2 * MiB }, time);
        await using BackupRepository repository = await OpenAsync(limits);
        byte[] content = Repositories.Noise(8 << 20);

        // The last to come may go at full speed: a read of half a MiB, a pack, a range of 2 MiB.
        var options = new BackupOptions { VolumeId = "a", Compression = ChunkCompression.None };
        TimeSpan backing = await ElapsedAsync(time, repository.FullAsync(new MemoryVolume(content), options), repository.FullAsync(new MemoryVolume(content), options with { VolumeId = "b" }));
        Assert.True(backing >= TimeSpan.FromSeconds(1.9), $"16 MiB read in {backing}");

        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
        TimeSpan restoring = await ElapsedAsync(time, [.. backups.Select(backup => repository.RestoreAsync(backup.Id, new MemoryVolume(content.Length), cancellationToken: Repositories.Token))]);
        Assert.True(restoring >= TimeSpan.FromSeconds(7), $"16 MiB fetched in {restoring}");

        TimeSpan reading = await ElapsedAsync(time, ReadAsync(backups[0].Id));
        Assert.True(reading >= TimeSpan.FromSeconds(3), $"8 MiB read through the stream in {reading}");

        async Task ReadAsync(Guid backupId)
        {
            await using Stream stream = await repository.OpenReadAsync(backupId, cancellationToken: Repositories.Token);
            await stream.CopyToAsync(Stream.Null, Repositories.Token);
        }
    }

    [Fact]
    public async Task Sending_waits_for_what_others_sent()
    {
        var time = new FakeTimeProvider();
        var limits = new OperationLimits(new OperationLimitOptions { UploadBytesPerSecond = MiB }, time);
        await using BackupRepository repository = await OpenAsync(limits);
        TimeSpan backing = await ElapsedAsync(time, [.. Enumerable.Range(0, 4).Select(i =>
            repository.FullAsync(new MemoryVolume(Repositories.Noise(1 << 20)), new BackupOptions { VolumeId = $"{i}", Compression = ChunkCompression.None }))]);
        Assert.True(backing >= TimeSpan.FromSeconds(3), $"4 MiB sent in {backing}");
    }

    [Theory]
    [InlineData("MaxMemoryBytes", 1)]
    [InlineData("MaxWorkers", 0)]
    [InlineData("ReadBytesPerSecond", 0)]
    [InlineData("UploadBytesPerSecond", -1)]
    [InlineData("DownloadBytesPerSecond", 0)]
    public void Limits_that_nothing_could_keep_are_refused_by_name(string name, int value)
    {
        var options = new OperationLimitOptions
        {
            MaxMemoryBytes = name == "MaxMemoryBytes" ? value : null,
            MaxWorkers = name == "MaxWorkers" ? value : null,
            ReadBytesPerSecond = name == "ReadBytesPerSecond" ? value : null,
            UploadBytesPerSecond = name == "UploadBytesPerSecond" ? value : null,
            DownloadBytesPerSecond = name == "DownloadBytesPerSecond" ? value : null,
        };
        Assert.Contains(name, Assert.Throws<ArgumentException>(() => new OperationLimits(options)).Message, StringComparison.Ordinal);
    }

    private static async Task<TimeSpan> ElapsedAsync(FakeTimeProvider time, params Task[] operations)
    {
        long began = time.GetTimestamp();
        Task all = Task.WhenAll(operations);
        while (!all.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await all;
        return time.GetElapsedTime(began);
    }

    private static void AssertAllGivenBack(OperationLimits limits)
    {
        Assert.Equal((limits.Options.MaxMemoryBytes ?? long.MaxValue, limits.Options.MaxWorkers ?? int.MaxValue), limits.Budget.Free);
        Assert.Equal(0, limits.BufferBytes);
        Assert.Equal(0, limits.WaitingOperations);
    }

    private Task<BackupRepository> OpenAsync(OperationLimits limits) =>
        BackupRepository.OpenOrCreateAsync(_store, new RepositoryOptions { Limits = limits }, Repositories.Token);
}
