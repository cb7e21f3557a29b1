using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A store that stops working in the middle, for good: full, read-only, vanished, or with credentials revoked.</summary>
public sealed class OutageTests
{
    private const int VolumeSize = 30 << 20;

    [LongRunning]
    [Theory]
    [InlineData(ObjectStoreError.OutOfSpace)]
    [InlineData(ObjectStoreError.AccessDenied)]
    [InlineData(ObjectStoreError.ContainerNotFound)]
    [InlineData(ObjectStoreError.Unavailable)]
    [InlineData(ObjectStoreError.Failed)]
    public async Task A_store_that_fails_from_any_call_on_fails_the_backup_with_its_own_words_and_the_next_attempt_succeeds(ObjectStoreError error)
    {
        await using var healthy = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(healthy);
        byte[] before = Repositories.Noise(VolumeSize, 1);
        Backup full = await repository.FullAsync(new MemoryVolume(before), Options());
        byte[] now = Repositories.Noise(VolumeSize, 2);
        for (int call = 2; call <= 20; call += 3)
        {
            await using InMemoryObjectStore store = await healthy.CloneAsync();
            await using var failing = new FaultInjectingObjectStore(store, 1) { FailingCall = call, FailsFromThenOn = true, Error = error };
            BackupRepository cutOff = await Repositories.OpenAsync(failing);
            ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => cutOff.FullAsync(new MemoryVolume(now), Options() with { Incremental = true }));
            Assert.Equal(error, e.Error);
            Assert.Contains("injected fault", e.Message, StringComparison.Ordinal);

            BackupRepository again = await Repositories.OpenAsync(store);
            Backup next = await again.FullAsync(new MemoryVolume(now), Options() with { Incremental = true });
            VolumeAssert.Same(now, await again.RestoreOverAsync(next), $"{error} from call {call}, the next attempt");
            VolumeAssert.Same(before, await again.RestoreOverAsync(full), $"{error} from call {call}, the first");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"{error} from call {call}");
        }
    }

    /// <summary>The record is there, but nobody tells the backup so: not the put of it, and not the look whether it arrived.</summary>
    [Fact]
    public async Task A_backup_that_cannot_know_whether_it_was_committed_fails_and_leaves_all_that_its_record_may_need()
    {
        await using var store = new InMemoryObjectStore();
        await Repositories.OpenAsync(store);
        await using var forgetful = new CommitWithoutAnswer(store);
        byte[] content = Repositories.Noise(1 << 20);
        BackupRepository cutOff = await Repositories.OpenAsync(forgetful);
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => cutOff.FullAsync(new MemoryVolume(content), Options()));
        Assert.Equal(ObjectStoreError.AccessDenied, e.Error);

        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup committed = Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
        Assert.Equal(BackupStatus.Available, committed.Status);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(committed), "committed without an answer");
    }

    /// <summary>The put of any object arrives when the backup has long failed and cleaned up.</summary>
    [Fact]
    public async Task A_backup_whose_commit_arrives_late_is_whole_though_nothing_is_kept_to_be_resumed()
    {
        BackupOptions options = Options() with { Resume = false };
        byte[] content = Repositories.Noise(1 << 20);
        bool isReached = true;
        int committed = 0;
        for (int call = 2; isReached; call++)
        {
            await using var store = new InMemoryObjectStore();
            await Repositories.OpenAsync(store);
            await using var late = new FaultInjectingObjectStore(store, 1) { FailingCall = call, Fault = StoreFault.Timeout };
            BackupRepository writing = await Repositories.OpenAsync(late);
            try
            {
                await writing.FullAsync(new MemoryVolume(content), options);
            }
            catch (ObjectStoreException)
            {
                // As it was to be.
            }

            isReached = late.HasFailed;
            await late.FinishLateCallsAsync();
            BackupRepository repository = await Repositories.OpenAsync(store);
            foreach (Backup backup in (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Available))
            {
                VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), $"late call {call}");
                committed++;
            }

            // A put that the store carries out after the clean-up leaves an object without evidence for its removal: it is reported.
            await StoreState.AssertPruneReportsOrphansAsync(store, $"late call {call}");
        }

        Assert.True(committed > 0, "no backup was committed");
    }

    /// <summary>Making room must not need room.</summary>
    [LongRunning]
    [Fact]
    public async Task A_backup_that_finds_no_room_for_any_object_leaves_nothing_though_nothing_can_be_put_any_more()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1 << 20)), Options());
        List<string> before = await store.ListKeysAsync();
        int refused = 0;
        while (true)
        {
            await using var full = new FullStore(store);
            BackupRepository writing = await Repositories.OpenAsync(full);
            full.PutsLeft = refused;
            try
            {
                await writing.FullAsync(new MemoryVolume(Repositories.Noise(VolumeSize, 2)), Options());
                break;
            }
            catch (ObjectStoreException e)
            {
                Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
            }

            // Of a record that was refused nobody knows whether it arrived.
            bool isCommit = (await store.ListKeysAsync()).Except(before).Any(key => key.Contains("/manifests/", StringComparison.Ordinal));
            if (!isCommit)
                Assert.Equal(before, await store.ListKeysAsync());
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"no room after {refused} puts");
            refused++;
        }

        Assert.InRange(refused, 5, 50);
    }

    [Fact]
    public async Task A_full_disk_fails_cleanly_and_with_room_again_the_backup_succeeds()
    {
        Requires.LoopDevices();
        using MountPoint mount = MountPoint.Tmpfs(24 << 20);
        await using var store = new DirectoryObjectStore(mount.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup first = await repository.FullAsync(new MemoryVolume(Repositories.Noise(4 << 20)), Options());
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => repository.FullAsync(new MemoryVolume(Repositories.Noise(VolumeSize, 2)), Options()));
        Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
        VolumeAssert.Same(Repositories.Noise(4 << 20), await repository.RestoreOverAsync(first), "the first");
        Backup next = await repository.FullAsync(new MemoryVolume(Repositories.Noise(8 << 20, 3)), Options());
        VolumeAssert.Same(Repositories.Noise(8 << 20, 3), await repository.RestoreOverAsync(next), "the next");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "a full disk");
    }

    /// <summary>The record can be read, but the store says that it failed, as when a directory cannot be forced to disk: after a power failure it may be gone.</summary>
    [Theory]
    [InlineData(ObjectStoreError.Failed)]
    [InlineData(ObjectStoreError.OutOfSpace)]
    public async Task A_record_that_is_seen_but_may_not_last_is_no_commit(ObjectStoreError error)
    {
        await using var store = new InMemoryObjectStore();
        await Repositories.OpenAsync(store);
        await using var failing = new CommitWithoutAnswer(store, error, hidesRecord: false);
        byte[] content = Repositories.Noise(1 << 20);
        BackupRepository cutOff = await Repositories.OpenAsync(failing);
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => cutOff.FullAsync(new MemoryVolume(content), Options()));
        Assert.Equal(error, e.Error);

        // And if it does last, all that it needs is there.
        BackupRepository repository = await Repositories.OpenAsync(store);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token))), "after all");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "after all");
    }

    [Fact]
    public async Task A_put_without_an_answer_whose_record_is_there_is_a_commit()
    {
        await using var store = new InMemoryObjectStore();
        await Repositories.OpenAsync(store);
        await using var silent = new CommitWithoutAnswer(store, ObjectStoreError.Unavailable, hidesRecord: false);
        Backup backup = await (await Repositories.OpenAsync(silent)).FullAsync(new MemoryVolume(Repositories.Noise(1 << 20)), Options());
        Assert.Equal(BackupStatus.Available, backup.Status);
        Assert.Equal(await store.ListReferencedAsync(), await store.ListKeysAsync());
    }

    [Fact]
    public async Task A_read_only_store_refuses_to_be_changed_and_restores()
    {
        Requires.LoopDevices();
        using MountPoint mount = MountPoint.Tmpfs(24 << 20);
        await using var store = new DirectoryObjectStore(mount.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup first = await repository.FullAsync(new MemoryVolume(Repositories.Noise(1 << 20)), Options());
        mount.MakeReadOnly();
        await AssertRefusedAsync(() => repository.FullAsync(new MemoryVolume(Repositories.Noise(2 << 20)), Options()));
        await AssertRefusedAsync(() => repository.DeleteAsync(first.Id, Repositories.Token));
        await AssertRefusedAsync(() => repository.PruneAsync(new PruneOptions { KeepLast = 1, BreakIntents = true }, Repositories.Token), mayDoNothing: true);
        VolumeAssert.Same(Repositories.Noise(1 << 20), await repository.RestoreOverAsync(first), "from a read-only store");

        static async Task AssertRefusedAsync(Func<Task> change, bool mayDoNothing = false)
        {
            try
            {
                await change();
                Assert.True(mayDoNothing);
            }
            catch (ObjectStoreException e)
            {
                Assert.Equal(ObjectStoreError.AccessDenied, e.Error);
            }
        }
    }

    private static BackupOptions Options() => new() { VolumeId = Repositories.VolumeId, Workers = 1, MaxMemoryBytes = 16 << 20 };

    /// <summary>The put of a record takes effect, and fails; so does the next read.</summary>
    private sealed class CommitWithoutAnswer(IObjectStore inner, ObjectStoreError error = ObjectStoreError.AccessDenied, bool hidesRecord = true) : IObjectStore
    {
        private bool _isSilent;

        public string Name => inner.Name;

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            await inner.PutAsync(key, content, condition, cancellationToken);
            if (key.StartsWith("records/", StringComparison.Ordinal))
            {
                _isSilent = hidesRecord;
                throw Refusal(key);
            }
        }

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            if (!_isSilent)
                return inner.GetAsync(key, offset, destination, cancellationToken);
            _isSilent = false;
            throw Refusal(key);
        }

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private ObjectStoreException Refusal(string key) => new(error, key, "refused");
    }
}
