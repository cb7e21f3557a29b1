using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// A virtual machine is cloned, or rolled back to a snapshot, while a process in it writes a backup: two writers with one id, one intent and the same sequence of packs. Only one
/// may commit, and the other must not touch what the committed backup refers to.
/// </summary>
public sealed class ClonedWriterTests
{
    private const int VolumeSize = 7 << 20;
    private static readonly Guid _id = Guid.NewGuid();

    /// <summary>The rolled-back machine goes on when the backup has long been committed, from every call on that the writer makes after its intent is there.</summary>
    [LongRunning]
    [Fact]
    public async Task Backup_RolledBackAfterCommit_FailsAndCommittedBackupRestores()
    {
        byte[] content = Repositories.Noise(VolumeSize, 1);
        await using var store = new InMemoryObjectStore();
        await Repositories.OpenAsync(store);
        Backup committed = await (await Repositories.OpenAsync(store)).FullAsync(new MemoryVolume(content), Options());
        Dictionary<string, byte[]> before = await ReadAllAsync(store);

        // The volume of the rolled-back machine differs, and so do its packs.
        await using var past = new PastStore(store);
        BackupRepository rolledBack = await Repositories.OpenAsync(past);
        BackupStateException e = await Assert.ThrowsAsync<BackupStateException>(() => rolledBack.FullAsync(new MemoryVolume(Repositories.Noise(VolumeSize, 2)), Options()));
        Assert.Contains("cloned or rolled back", e.Message, StringComparison.Ordinal);
        Assert.True(past.HasBegun, "the clone did not come as far as its packs");
        Assert.Equal(before, await ReadAllAsync(store));
        VolumeAssert.Same(content, await (await Repositories.OpenAsync(store)).RestoreOverAsync(committed), "committed");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "after the rollback");
    }

    /// <summary>A clone runs from the moment at which its original is about to make any call.</summary>
    [LongRunning]
    [Fact]
    public async Task Backup_ClonedBeforeAnyCall_CommittedBackupIsWhole()
    {
        byte[] original = Repositories.Noise(VolumeSize, 1);
        byte[] cloned = Repositories.Noise(VolumeSize, 2);
        int committed = 0;
        int failed = 0;
        bool isReached = true;
        for (int call = 1; isReached; call++)
        {
            await using var store = new InMemoryObjectStore();
            await Repositories.OpenAsync(store);
            bool isCloned = false;
            Exception? failure = null;
            await using var watched = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != call || !(await store.ListKeysAsync()).Contains(StoreKeys.Intent(Repositories.VolumeId, _id)))
                        return;
                    isCloned = true;
                    failure = await TryAsync(new PastStore(store), cloned);
                },
            };
            Exception? originalFailure = await TryAsync(watched, original);
            isReached = watched.Calls >= call;
            if (!isCloned)
                continue;
            failed += (failure is null ? 0 : 1) + (originalFailure is null ? 0 : 1);
            Assert.True(failure is not null || originalFailure is not null, $"call {call}: both committed");
            BackupRepository repository = await Repositories.OpenAsync(store);
            foreach (Backup backup in (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Available))
            {
                committed++;
                VolumeAssert.Same(originalFailure is null ? original : cloned, await repository.RestoreOverAsync(backup), $"clone before call {call}");
            }
        }

        Assert.True(committed > 3 && failed > 3, $"{committed} committed, {failed} failed");
    }

    private static async Task<Exception?> TryAsync(IObjectStore store, byte[] content)
    {
        try
        {
            await (await Repositories.OpenAsync(store)).FullAsync(new MemoryVolume(content), Options());
            return null;
        }
        catch (BackupEngineException e)
        {
            return e;
        }
    }

    private static BackupOptions Options() => new() { VolumeId = Repositories.VolumeId, BackupId = _id, Workers = 1, MaxMemoryBytes = 16 << 20, Resume = false };

    private static async Task<Dictionary<string, byte[]>> ReadAllAsync(IObjectStore store)
    {
        var all = new Dictionary<string, byte[]>();
        foreach (string key in await store.ListKeysAsync())
            all[key] = await store.GetAllAsync(key, 1 << 28, Repositories.Token);
        return all;
    }

    /// <summary>
    /// What a rolled-back process has seen: it has put its intent and found its id free before the snapshot, and knows nothing of what came later. From its first pack on it sees the store as
    /// it is.
    /// </summary>
    private sealed class PastStore(IObjectStore inner) : IObjectStore
    {
        public string Name => inner.Name;

        public bool HasBegun { get; private set; }

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            if (key == StoreKeys.Intent(Repositories.VolumeId, _id))
                return ValueTask.CompletedTask;
            HasBegun = true;
            return inner.PutAsync(key, content, condition, cancellationToken);
        }

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) => IsHidden(key)
            ? ValueTask.FromException<int>(new ObjectStoreException(ObjectStoreError.NotFound, key, "there is no such object"))
            : inner.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) =>
            IsHidden(key) ? ValueTask.FromResult<ObjectInfo?>(null) : inner.HeadAsync(key, cancellationToken);

        public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (ObjectInfo info in inner.ListAsync(prefix, cancellationToken))
            {
                if (!IsHidden(info.Key))
                    yield return info;
            }
        }

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private bool IsHidden(string key) => !HasBegun && key.Contains(_id.ToString(), StringComparison.Ordinal);
    }
}
