using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// A repack whose change of a record got no answer has failed; the store carries the change out later, before any call of whatever is done next. Whether it still
/// counts then or not, everything committed restores.
/// </summary>
public sealed class LateRepackTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly PruneOptions _repack = new() { RepackBelowPercent = 60 };
    private readonly InMemoryObjectStore _base = new();
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private readonly List<Backup> _backups = [];

    /// <summary>A backup whose pack is mostly dead, two that were made from it, and one more from the second.</summary>
    public async ValueTask InitializeAsync()
    {
        BackupRepository repository = await Repositories.OpenAsync(_base);
        byte[] content = Repositories.Noise(150_000);
        Backup gone = await repository.FullAsync(new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, ChunkSize = 4096, Workers = 1 });
        Repositories.Noise(100_000, 1).CopyTo(content, 0);
        await AddAsync(gone.Id, 0);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        await AddAsync(_backups[0].Id, 1);
        await AddAsync(_backups[0].Id, 2);
        await AddAsync(_backups[2].Id, 3);

        async Task AddAsync(Guid parent, int seed)
        {
            byte[] changed = [.. content];
            Repositories.Noise(5_000, 10 + seed).CopyTo(changed, 10_000 * seed);
            Backup backup = await repository.BackupAsync(new MemoryVolume(changed), Incremental(parent), cancellationToken: Repositories.Token);
            _backups.Add(backup);
            _contents[backup.Id] = changed;
        }
    }

    public ValueTask DisposeAsync() => _base.DisposeAsync();

    [LongRunning]
    [Theory]
    [InlineData("incremental", 1)]
    [InlineData("delete", 4)]
    [InlineData("delete the other", 4)]
    [InlineData("prune", 5)]
    [InlineData("retention", 5)]
    [InlineData("repack", 12)]
    [InlineData("repair", 4)]
    public async Task Whenever_a_change_of_a_record_comes_late_nothing_is_lost(string next, int everyNthCall)
    {
        int seed = TestSeed.Next();
        int late = 0;
        await ForEachLateChangeAsync(async (store, finishAsync, what) =>
        {
            for (int call = 1 + (seed % everyNthCall); ; call += everyNthCall)
            {
                await using InMemoryObjectStore copy = await store.CloneAsync();
                int at = call;
                bool isReached = false;
                await using var watched = new FaultInjectingObjectStore(copy, 1) { BeforeCall = number => number == at ? ComeAsync() : Task.CompletedTask };
                try
                {
                    await RunAsync(next, await Repositories.OpenAsync(watched));
                }
                catch (BackupStateException)
                {
                    // It saw that something has changed.
                }

                if (!isReached)
                    break;
                late++;
                await CheckAsync(copy, $"{what}, before call {call} of {next}, seed {seed}");

                async Task ComeAsync()
                {
                    isReached = true;
                    await finishAsync(copy);

                    // What nobody needs by now goes at once.
                    if (next == "incremental")
                        await (await Repositories.OpenAsync(copy)).PruneAsync(cancellationToken: Repositories.Token);
                }
            }
        });
        output.WriteLine($"{next}: {late} times late");
        Assert.True(late > 0);
    }

    /// <summary>Of a prune that takes the repack for dead only the stone is left, and that is deleted: the change must not come after that.</summary>
    [LongRunning]
    [Fact]
    public async Task A_stone_of_a_repack_can_be_deleted()
    {
        int stones = 0;
        await ForEachLateChangeAsync(async (store, finishAsync, what) =>
        {
            for (int call = 1; ; call++)
            {
                await using InMemoryObjectStore copy = await store.CloneAsync();
                await using var dying = new FaultInjectingObjectStore(copy, 1) { FailingCall = call, FailsFromThenOn = true };
                try
                {
                    await (await Repositories.OpenAsync(dying)).PruneAsync(cancellationToken: Repositories.Token);
                }
                catch (BackupEngineException)
                {
                    // Cut off.
                }

                if (!dying.HasFailed)
                    break;
                BackupRepository repository = await Repositories.OpenAsync(copy);
                foreach (Backup stone in (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Deleting))
                {
                    stones++;
                    await repository.DeleteAsync(stone.Id, Repositories.Token);
                }

                await repository.PruneAsync(cancellationToken: Repositories.Token);
                await finishAsync(copy);
                await CheckAsync(copy, $"{what}, prune died at call {call}");
            }
        });
        Assert.True(stones > 0);
    }

    /// <summary>An intent that cannot be read may be that of a repack, which may change any record of its volume.</summary>
    [Fact]
    public async Task A_repack_whose_intent_cannot_be_read_changes_nothing_when_it_was_broken()
    {
        await ForEachLateChangeAsync(async (store, finishAsync, what) =>
        {
            foreach (string key in (await store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.Intents, StringComparison.Ordinal)))
                await store.PutAsync(key, new byte[] { 1 }, cancellationToken: Repositories.Token);
            await (await Repositories.OpenAsync(store)).PruneAsync(new PruneOptions { BreakIntents = true, IntentAge = TimeSpan.Zero }, Repositories.Token);
            await finishAsync(store);
            await CheckAsync(store, what);
        });
    }

    /// <summary>Runs a repack once for each of its changes of records, which then gets no answer.</summary>
    private async Task ForEachLateChangeAsync(Func<InMemoryObjectStore, Func<IObjectStore, Task>, string, Task> doAsync)
    {
        int changes = 0;
        for (int call = 1; ; call++)
        {
            await using InMemoryObjectStore store = await _base.CloneAsync();
            await using var faulty = new FaultInjectingObjectStore(store, 1) { FailingCall = call, Fault = StoreFault.Timeout };
            try
            {
                await (await Repositories.OpenAsync(faulty)).PruneAsync(_repack, Repositories.Token);
            }
            catch (ObjectStoreException)
            {
                // That was it.
            }

            if (!faulty.HasFailed)
                break;

            // Of a put, and so later than its reading.
            if (faulty.FailedKey?.StartsWith(StoreKeys.Records, StringComparison.Ordinal) == true && faulty.HasLateCalls)
                await doAsync(store, faulty.FinishLateCallsAsync, $"change {++changes}");
        }

        Assert.Equal(_backups.Count, changes);
    }

    private async Task RunAsync(string next, BackupRepository repository)
    {
        switch (next)
        {
            case "incremental":
                Backup backup = await repository.BackupAsync(new MemoryVolume(_contents[_backups[3].Id]), Incremental(_backups[3].Id), cancellationToken: Repositories.Token);
                _contents[backup.Id] = _contents[_backups[3].Id];
                break;
            case "delete":
                await repository.DeleteAsync(_backups[1].Id, Repositories.Token);
                break;
            case "delete the other":
                await repository.DeleteAsync(_backups[3].Id, Repositories.Token);
                break;
            case "retention":
                await repository.PruneAsync(new PruneOptions { KeepLast = 2 }, Repositories.Token);
                break;
            case "repack":
                await repository.PruneAsync(_repack, Repositories.Token);
                break;
            case "repair":
                await repository.RepairAsync(cancellationToken: Repositories.Token);
                break;
            default:
                await repository.PruneAsync(cancellationToken: Repositories.Token);
                break;
        }
    }

    private static BackupOptions Incremental(Guid parent) => new() { VolumeId = Repositories.VolumeId, ParentId = parent, Workers = 1 };

    private async Task CheckAsync(IObjectStore store, string what)
    {
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
        BackupRepository repository = await Repositories.OpenAsync(store);
        foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
        {
            Assert.Equal(BackupStatus.Available, backup.Status);
            VolumeAssert.Same(_contents.GetValueOrDefault(backup.Id, _contents[_backups[3].Id]), await repository.RestoreOverAsync(backup), $"{what}, backup {backup.Id}");
        }
    }
}
