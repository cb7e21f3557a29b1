using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using Xunit;

namespace BackupEngine.Tests.Repository;

public sealed class ResumeTests : IAsyncDisposable
{
    private const int VolumeSize = 60 << 20;
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(VolumeSize);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task What_a_dead_backup_has_stored_is_not_stored_again()
    {
        await CutOffAsync(_content, packs: 7);
        long stored = await CountPackBytesAsync();
        Assert.InRange(stored, 20 << 20, VolumeSize);

        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content), Options());
        Assert.InRange(backup.BytesStored, VolumeSize - stored, VolumeSize - stored + (1 << 20));
        await CheckAsync(repository, backup, _content, VolumeSize + (1 << 20));
        await repository.DeleteAsync(backup.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [LongRunning]
    [Fact]
    public async Task What_has_changed_since_is_stored_anew()
    {
        await CutOffAsync(_content, packs: 7);
        byte[] changed = [.. _content];
        for (int chunk = 0; chunk < VolumeSize; chunk += 5 * 65_536)
            changed[chunk] ^= 1;
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup backup = await repository.FullAsync(new MemoryVolume(changed), Options());
        await CheckAsync(repository, backup, changed, VolumeSize + (20 << 20));
    }

    [Fact]
    public async Task Damaged_packs_are_not_used()
    {
        await CutOffAsync(_content, packs: 7);
        foreach (string key in (await _store.ListKeysAsync()).Where(key => key.Contains("/packs/", StringComparison.Ordinal)))
        {
            byte[] pack = await _store.GetAllAsync(key, 64 << 20, Repositories.Token);
            pack[pack.Length / 2] ^= 4;
            await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        }

        BackupRepository repository = await Repositories.OpenAsync(_store);
        await CheckAsync(repository, await repository.FullAsync(new MemoryVolume(_content), Options()), _content, VolumeSize * 2);
    }

    [Fact]
    public async Task Cut_off_again_and_again_it_gets_done_with_little_stored_twice()
    {
        for (int attempt = 0; attempt < 3; attempt++)
            await CutOffAsync(_content, packs: 3);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        long stored = await CountPackBytesAsync();
        Assert.InRange(stored, 40 << 20, VolumeSize);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content), Options());
        Assert.InRange(backup.BytesStored, 0, VolumeSize - stored + (1 << 20));
        await CheckAsync(repository, backup, _content, VolumeSize + (1 << 20));
    }

    [Fact]
    public async Task An_incremental_resumes_what_a_full_had_stored_and_children_outlive_it()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(new byte[VolumeSize]), Options());
        await CutOffAsync(_content, packs: 7);
        long stored = await CountPackBytesAsync();
        Backup child = await repository.BackupAsync(new MemoryVolume(_content), Options() with { Incremental = true }, cancellationToken: Repositories.Token);
        Assert.InRange(child.BytesStored, 1, VolumeSize - stored + (1 << 20));
        byte[] next = [.. _content];
        next[7]++;
        Backup grandchild = await repository.BackupAsync(new MemoryVolume(next), Options() with { Incremental = true }, cancellationToken: Repositories.Token);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal([grandchild.Id], (await repository.ListAsync(cancellationToken: Repositories.Token)).Select(backup => backup.Id));
        Assert.NotEqual(full.Id, child.Id);
        await CheckAsync(repository, grandchild, next, VolumeSize + (1 << 20));
    }

    [LongRunning]
    [Fact]
    public async Task Deleting_a_child_leaves_its_parent_the_packs_that_the_parent_took_over()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await repository.FullAsync(new MemoryVolume(new byte[VolumeSize]), Options());
        await CutOffAsync(_content, packs: 7);
        Backup parent = await repository.BackupAsync(new MemoryVolume(_content), Options() with { Incremental = true }, cancellationToken: Repositories.Token);
        byte[] next = [.. _content];
        next[7]++;
        Backup child = await repository.BackupAsync(new MemoryVolume(next), Options() with { Incremental = true }, cancellationToken: Repositories.Token);
        await repository.DeleteAsync(child.Id, Repositories.Token);
        await CheckAsync(repository, parent, _content, VolumeSize + (1 << 20));
    }

    [Fact]
    public async Task One_that_may_be_alive_is_only_taken_over_by_its_id()
    {
        Guid cutOff = await CutOffAsync(_content, packs: 7, foreign: true);
        long stored = await CountPackBytesAsync();
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup alone = await repository.FullAsync(new MemoryVolume(_content), Options());
        Assert.InRange(alone.BytesStored, VolumeSize, VolumeSize + (1 << 20));
        Backup resumed = await repository.FullAsync(new MemoryVolume(_content), Options() with { ResumeId = cutOff });
        Assert.InRange(resumed.BytesStored, 1, VolumeSize - stored + (1 << 20));
        await Assert.ThrowsAsync<BackupNotFoundException>(() => repository.FullAsync(new MemoryVolume(_content), Options() with { ResumeId = cutOff }));
        await repository.DeleteAsync(alone.Id, Repositories.Token);
        await CheckAsync(repository, resumed, _content, VolumeSize + (1 << 20));
    }

    [Fact]
    public async Task A_cancelled_resumption_leaves_nothing()
    {
        Guid cutOff = await CutOffAsync(_content, packs: 7);
        using var cancel = new CancellationTokenSource();
        bool hasTakenOver = false;
        await using var watching = new FaultInjectingObjectStore(_store, 1) { BeforeCall = _ => CancelAsync() };
        BackupRepository repository = await Repositories.OpenAsync(watching);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => repository.BackupAsync(new MemoryVolume(_content), Options(), cancellationToken: cancel.Token));
        Assert.True(hasTakenOver);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());

        // When what was interrupted is this backup's, and it has stored a pack of its own.
        async Task CancelAsync()
        {
            List<string> keys = await _store.ListKeysAsync();
            if (cancel.IsCancellationRequested || !keys.Contains(StoreKeys.Record(Repositories.VolumeId, cutOff))
                || !keys.Exists(key => key.Contains("/packs/", StringComparison.Ordinal) && !key.Contains($"/packs/{cutOff:D}", StringComparison.Ordinal)))
                return;
            hasTakenOver = true;
            await cancel.CancelAsync();
        }
    }

    [Fact]
    public async Task A_writer_that_lives_after_all_leaves_its_packs_to_the_one_that_has_taken_them_over()
    {
        var id = Guid.NewGuid();
        using var cancel = new CancellationTokenSource();
        Backup? heir = null;
        int hasTakenOver = 0;
        await using var watching = new FaultInjectingObjectStore(_store, 1) { BeforeCall = _ => TakeOverAsync() };
        BackupRepository repository = await Repositories.OpenAsync(watching);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => repository.BackupAsync(new MemoryVolume(_content), Options() with { BackupId = id }, cancellationToken: cancel.Token));

        Assert.InRange(heir!.BytesStored, 1, VolumeSize - (8 << 20));
        BackupRepository healthy = await Repositories.OpenAsync(_store);
        VolumeAssert.Same(_content, await healthy.RestoreOverAsync(heir), "the heir");
        Assert.Empty((await healthy.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);

        // The pack that was under way may have come too late to be taken over.
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the heir");

        // Which call is the n-th is up to the uploads in parallel: what is stored decides instead.
        async Task TakeOverAsync()
        {
            if (await CountPackBytesAsync() < 12 << 20 || Interlocked.Exchange(ref hasTakenOver, 1) != 0)
                return;
            BackupRepository other = await Repositories.OpenAsync(_store);
            heir = await other.BackupAsync(new MemoryVolume(_content), Options() with { ResumeId = id }, cancellationToken: Repositories.Token);
            await cancel.CancelAsync();
        }
    }

    /// <summary>The delete had looked who needs it before the heir said so, and the heir did not look for deletes.</summary>
    /// <param name="isHeldUp">Whether the heir only takes over at that moment, and reads the volume when the delete has ended.</param>
    [LongRunning]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_delete_of_what_was_taken_over_leaves_the_next_heir_whole_at_whatever_moment_that_comes(bool isHeldUp)
    {
        byte[] content = _content[..(20 << 20)];
        Guid first = await CutOffAsync(content, packs: 2);
        await CutOffAsync(content, packs: 1);
        int resumed = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            string what = $"resumed before call {call} of the delete";
            await using InMemoryObjectStore store = await _store.CloneAsync();
            var reading = new Stop();
            if (!isHeldUp)
                reading.GoOn();
            Task<Backup>? heir = null;
            int at = call;
            await using var watching = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? ResumeAsync() : Task.CompletedTask };
            BackupRepository deleting = await Repositories.OpenAsync(watching);
            try
            {
                await deleting.DeleteAsync(first, Repositories.Token);
            }
            catch (BackupEngineException e) when (e is BackupHasDependentsException or BackupNotFoundException)
            {
                // It saw the heir, or came too late.
            }

            reading.GoOn();
            if (heir is not null)
            {
                Backup backup = await heir;
                VolumeAssert.Same(content, await (await Repositories.OpenAsync(store)).RestoreOverAsync(backup), what);
                resumed += backup.BytesStored < content.Length - (4 << 20) ? 1 : 0;
            }

            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);

            async Task ResumeAsync()
            {
                isReached = true;
                heir = (await Repositories.OpenAsync(store)).BackupAsync(new InterruptedVolume(content, reading.WaitAsync), Options(), cancellationToken: Repositories.Token);
                await (isHeldUp ? (Task)Task.WhenAny(reading.Reached, heir) : heir);
            }
        }

        Assert.True(resumed > 0, "nothing was resumed");
    }

    private static BackupOptions Options() => new() { VolumeId = Repositories.VolumeId, Workers = 1, MaxMemoryBytes = 16 << 20 };

    /// <summary>Begins a backup whose process dies after so many packs.</summary>
    private async Task<Guid> CutOffAsync(byte[] content, int packs, bool foreign = false)
    {
        var id = Guid.NewGuid();
        int arrived = 0;
        await using var dying = new DyingStore(_store, key => key.Contains($"/packs/{id:D}", StringComparison.Ordinal) && Interlocked.Increment(ref arrived) > packs);
        BackupRepository repository = await Repositories.OpenAsync(dying);
        await Assert.ThrowsAnyAsync<Exception>(() => repository.BackupAsync(new MemoryVolume(content), Options() with { BackupId = id }, cancellationToken: Repositories.Token));
        if (foreign)
        {
            string key = StoreKeys.Intent(Repositories.VolumeId, id);
            Intent intent = CatalogJson.ReadIntent(key, await _store.GetAllAsync(key, 1 << 20, Repositories.Token));
            await _store.PutAsync(key, CatalogJson.Write(intent with { Writer = new ProcessIdentity("elsewhere", "another system", 1, "1") }), cancellationToken: Repositories.Token);
        }

        return id;
    }

    private async Task CheckAsync(BackupRepository repository, Backup backup, byte[] content, long maxStored)
    {
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), "the resumed backup");
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Empty(report.Findings);
        Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after a resumption");
        Assert.InRange(await CountPackBytesAsync(), content.Length / 2, maxStored);
    }

    private async Task<long> CountPackBytesAsync()
    {
        long bytes = 0;
        await foreach (ObjectInfo info in _store.ListAsync("volumes/", Repositories.Token))
            bytes += info.SizeBytes;
        return bytes;
    }

    /// <summary>Once a put is refused, the process is dead: nothing works any more.</summary>
    private sealed class DyingStore(IObjectStore inner, Func<string, bool> diesAt) : IObjectStore
    {
        private volatile bool _isDead;

        public string Name => inner.Name;

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            _isDead |= diesAt(key);
            return Living().PutAsync(key, content, condition, cancellationToken);
        }

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            Living().GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => Living().HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => Living().ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => Living().DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private IObjectStore Living() => _isDead ? throw new CrashedException() : inner;
    }
}
