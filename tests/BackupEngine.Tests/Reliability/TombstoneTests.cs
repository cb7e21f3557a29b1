using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A committed backup whose intent could not be deleted, in a store that ignores conditions and was not checked: tombstones must not replace its record.</summary>
public sealed class TombstoneTests : IAsyncDisposable
{
    private readonly InMemoryObjectStore _memory = new();

    public ValueTask DisposeAsync() => _memory.DisposeAsync();

    [Theory]
    [InlineData("next backup")]
    [InlineData("incremental")]
    [InlineData("resume")]
    [InlineData("prune")]
    [InlineData("prune with rules")]
    public async Task CommittedBackupWithIntent_NextOperation_KeepsItsRecordAndData(string operation)
    {
        byte[] content = Repositories.Noise(300_000);
        Backup committed = await CommitWithIntentLeftAsync(content);

        // The probe would refuse this store; what is tested is that its result alone does not decide.
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenAsync(store);
        BackupOptions options = new() { VolumeId = Repositories.VolumeId };
        switch (operation)
        {
            case "prune":
                await repository.PruneAsync(cancellationToken: Repositories.Token);
                break;
            case "prune with rules":
                await repository.PruneAsync(new PruneOptions { KeepLast = 5 }, Repositories.Token);
                break;
            default:
                await repository.FullAsync(new MemoryVolume(Repositories.Noise(300_000, 2)), operation switch
                {
                    "incremental" => options with { Incremental = true },
                    "resume" => options with { ResumeId = committed.Id },
                    _ => options,
                });
                break;
        }

        Backup now = Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token), backup => backup.Id == committed.Id);
        Assert.Equal(BackupStatus.Available, now.Status);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(committed), operation);
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    [Fact]
    public async Task AddTombstone_RecordReplacesItAtOnce_IsFoundByTheReadBack()
    {
        Backup committed = await CommitWithIntentLeftAsync(Repositories.Noise(1000));
        string key = StoreKeys.Record(committed.VolumeId, committed.Id);
        byte[] record = await _memory.GetAllAsync(key, 1 << 20, Repositories.Token);
        await _memory.DeleteAsync(key, Repositories.Token);

        // The commit comes after the tombstone, and the store ignores its condition.
        await using var store = new FaultInjectingObjectStore(_memory, 1)
        {
            BeforeCall = async call =>
            {
                if (call == 3)
                    await _memory.PutAsync(key, record, cancellationToken: Repositories.Token);
            },
        };
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => new RecordStore(store).AddTombstoneAsync(committed with { Status = BackupStatus.Deleting }, Repositories.Token));
        Assert.Equal(ObjectStoreError.AlreadyExists, e.Error);
        Assert.Equal(3, store.Calls);
    }

    private async Task<Backup> CommitWithIntentLeftAsync(byte[] content)
    {
        await Repositories.OpenAsync(_memory);
        await using var keeping = new StoreThatKeepsIntents(_memory);
        Backup committed = await (await Repositories.OpenAsync(keeping)).FullAsync(new MemoryVolume(content));
        Assert.Contains(StoreKeys.Intent(committed.VolumeId, committed.Id), await _memory.ListKeysAsync());
        return committed;
    }

    private sealed class StoreThatKeepsIntents(IObjectStore inner) : IObjectStore
    {
        public string Name => inner.Name;

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
            inner.PutAsync(key, content, condition, cancellationToken);

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            inner.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) =>
            throw new ObjectStoreException(ObjectStoreError.Unavailable, keys.FirstOrDefault(), "nothing can be deleted");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
