using BackupEngine.Catalog;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Limits;

public sealed class PauseTests : IAsyncDisposable
{
    private static readonly byte[] _content = Repositories.Noise(12 << 20);
    private readonly InMemoryObjectStore _store = new();
    private readonly PauseSwitch _pause = new();
    private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;
    private int _callsWhilePaused;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public async Task A_paused_backup_and_a_paused_restore_begin_nothing_and_go_on_bit_for_bit(int pauseAt)
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new WatchedStore(_store, (key, _) => WatchAsync(key.Contains("/packs/", StringComparison.Ordinal), pauseAt)));
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, Workers = 1, Pause = _pause };
        Task<Backup> backing = repository.FullAsync(new WatchedVolume(new MemoryVolume(_content), (_, _) => WatchAsync(true, pauseAt)), options);
        await StandStillAsync(backing);
        Backup backup = await backing;

        _calls = 0;
        var target = new MemoryVolume(Repositories.Noise(_content.Length, seed: 2));
        Task<RestoreResult> restoring = repository.RestoreAsync(
            backup.Id, new WatchedVolume(target, (_, _) => WatchAsync(true, pauseAt)), new RestoreOptions { Workers = 1, Pause = _pause }, cancellationToken: Repositories.Token);
        await StandStillAsync(restoring);
        await restoring;
        VolumeAssert.Same(_content, target.ToArray(), "restored with pauses");
        Assert.Equal(0, _callsWhilePaused);
    }

    [Fact]
    public async Task What_is_paused_can_be_cancelled_and_leaves_nothing()
    {
        await using BackupRepository repository = await Repositories.OpenAsync(_store);
        IReadOnlyList<string> before = await _store.ListKeysAsync();
        using var cancel = new CancellationTokenSource();
        Task<Backup> backing = repository.BackupAsync(
            new WatchedVolume(new MemoryVolume(_content), (_, _) => WatchAsync(true, 22)), new BackupOptions { VolumeId = "v", Workers = 1, Pause = _pause }, cancellationToken: cancel.Token);
        await _paused.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backing);
        Assert.True(_pause.IsPaused);
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task What_is_paused_before_it_begins_waits_and_does_not_stand_in_the_way_of_others()
    {
        var limits = new OperationLimits(new OperationLimitOptions { MaxWorkers = 1 });
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(_store, new RepositoryOptions { Limits = limits }, Repositories.Token);
        _pause.Pause();
        Task<Backup> paused = repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = "paused", Pause = _pause });
        await repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = "other" });
        Assert.False(paused.IsCompleted);
        _pause.Resume();
        Assert.Equal(BackupStatus.Available, (await paused).Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_paused_prune_and_a_paused_repair_begin_nothing_and_go_on(int pauseAt)
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new WatchedStore(_store, (key, _) => WatchAsync(StoreKeys.TryParsePack(key, out string _, out Guid _, out uint _), pauseAt)));
        byte[] renewed = await MakeTwoAsync(await Repositories.OpenAsync(_store));
        Task<PruneReport> pruning = repository.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = 50, Pause = _pause }, Repositories.Token);
        await StandStillAsync(pruning);
        Assert.Equal(1, (await pruning).PacksRepacked);

        _calls = 0;
        Task<RepairReport> repairing = repository.RepairAsync(new RepairOptions { Workers = 1, Pause = _pause }, cancellationToken: Repositories.Token);
        await StandStillAsync(repairing);
        Assert.Empty((await repairing).Findings);
        Assert.Equal(0, _callsWhilePaused);
        VolumeAssert.Same(renewed, await repository.RestoreOverAsync(Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token))), "repacked with pauses");
    }

    [Fact]
    public async Task A_prune_that_is_paused_when_it_has_said_what_it_removes_can_be_cancelled_and_takes_that_back()
    {
        await MakeTwoAsync(await Repositories.OpenAsync(_store));
        IReadOnlyList<string> before = await _store.ListKeysAsync();
        await using BackupRepository repository = await Repositories.OpenAsync(new WatchedStore(_store, (key, _) => WatchAsync(StoreKeys.TryParseDeletion(key, out string _, out Guid _), 1)));
        using var cancel = new CancellationTokenSource();
        Task<PruneReport> pruning = repository.PruneAsync(new PruneOptions { KeepLast = 1, Pause = _pause }, cancel.Token);
        await _paused.Task;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pruning);
        Assert.Equal(before, await _store.ListKeysAsync());
        Assert.All(await repository.ListAsync(cancellationToken: Repositories.Token), backup => Assert.Equal(BackupStatus.Available, backup.Status));
    }

    /// <summary>While it stood still there, others could take it for dead, and build upon what it then removed.</summary>
    [Fact]
    public async Task A_prune_does_not_pause_between_its_last_look_and_the_removal()
    {
        await MakeTwoAsync(await Repositories.OpenAsync(_store));
        await using var store = new FullStore(_store)
        {
            BeforeDelete = keys =>
            {
                _pause.Pause();
                return Task.CompletedTask;
            },
        };
        await using BackupRepository repository = await Repositories.OpenAsync(store);
        PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 1, Pause = _pause }, Repositories.Token).WaitAsync(TimeSpan.FromMinutes(1), Repositories.Token);
        Assert.True(_pause.IsPaused);
        Assert.Single(report.BackupsRemoved);
    }

    [Fact]
    public async Task Pausing_and_resuming_twice_is_as_once()
    {
        _pause.Resume();
        _pause.Pause();
        _pause.Pause();
        Task waiting = _pause.WaitAsync(Repositories.Token).AsTask();
        Assert.False(waiting.IsCompleted);
        _pause.Resume();
        _pause.Resume();
        Assert.False(_pause.IsPaused);
        await waiting;
    }

    /// <summary>A backup, and one that needs little of its pack.</summary>
    /// <returns>The volume as the second holds it.</returns>
    private static async Task<byte[]> MakeTwoAsync(BackupRepository repository)
    {
        await repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Workers = 1 });
        byte[] renewed = [.. _content];
        Repositories.Noise(11 << 20, seed: 3).CopyTo(renewed, 0);
        await repository.BackupAsync(new MemoryVolume(renewed), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 }, cancellationToken: Repositories.Token);
        return renewed;
    }

    private ValueTask WatchAsync(bool isData, int pauseAt)
    {
        if (!isData)
            return ValueTask.CompletedTask;
        if (_pause.IsPaused)
            Interlocked.Increment(ref _callsWhilePaused);
        if (Interlocked.Increment(ref _calls) == pauseAt)
        {
            _pause.Pause();
            _paused.TrySetResult();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Gives a paused operation every chance to go on although it should not.</summary>
    private async Task StandStillAsync(Task operation)
    {
        await _paused.Task;
        while (!_pause.IsPaused && !operation.IsCompleted)
            await Task.Yield();
        for (int turn = 0; turn < 1000; turn++)
            await Task.Yield();
        Assert.False(operation.IsCompleted);
        _pause.Resume();
    }
}
