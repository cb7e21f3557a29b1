using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A prune is told to break old intents, and the writer of one of them lives after all.</summary>
public sealed class DeclaredDeadTests : IAsyncLifetime
{
    private static readonly BackupOptions _options = new() { VolumeId = Repositories.VolumeId, Workers = 1 };
    private readonly ManualClock _clock = new(DateTimeOffset.UtcNow);
    private readonly byte[] _firstContent = Repositories.Noise(500_000);
    private readonly byte[] _content = Repositories.Noise(200_000, 99);
    private readonly InMemoryObjectStore _store;
    private Backup? _first;

    public DeclaredDeadTests() => _store = new InMemoryObjectStore(_clock);

    public async ValueTask InitializeAsync() => _first = await (await Repositories.OpenAsync(_store)).FullAsync(new MemoryVolume(_firstContent));

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_backup_that_is_declared_dead_at_any_moment_fails_or_is_whole()
    {
        int failed = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            InMemoryObjectStore store = await _store.CloneAsync(_clock);
            BackupRepository pruning = await Repositories.OpenAsync(store);
            int at = call;
            await using var interrupted = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != at)
                        return;
                    isReached = true;
                    _clock.Now += TimeSpan.FromDays(2);
                    await pruning.PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token);
                },
            };
            BackupRepository writing = await Repositories.OpenAsync(interrupted);
            try
            {
                Backup backup = await writing.BackupAsync(new MemoryVolume(_content), _options, cancellationToken: Repositories.Token);
                VolumeAssert.Same(_content, await pruning.RestoreOverAsync(backup), $"declared dead before call {call}");
            }
            catch (BackupStateException)
            {
                failed++;
            }

            VolumeAssert.Same(_firstContent, await pruning.RestoreOverAsync(_first!), $"the first, prune before call {call}");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"declared dead before call {call}");
        }

        Assert.True(failed > 0, "no backup noticed that it was declared dead");
    }

    /// <summary>The writer goes on, and commits if it can, in the middle of the prune that has declared it dead.</summary>
    [Fact]
    public async Task A_backup_that_commits_at_any_moment_of_its_being_declared_dead_fails_or_is_whole()
    {
        await using var counting = new FaultInjectingObjectStore(await _store.CloneAsync(_clock), 1);
        await (await Repositories.OpenAsync(counting)).BackupAsync(new MemoryVolume(_content), _options, cancellationToken: Repositories.Token);

        int failed = 0;
        int committed = 0;
        for (int call = counting.Calls - 3; call <= counting.Calls; call++)
        {
            bool isReached = true;
            for (int pruneCall = 2; isReached; pruneCall++)
            {
                isReached = false;
                string what = $"stopped before call {call}, going on before call {pruneCall} of the prune";
                InMemoryObjectStore store = await _store.CloneAsync(_clock);
                var stop = new Stop();
                int at = call;
                await using var interrupted = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? stop.WaitAsync() : Task.CompletedTask };
                Task<Backup> writing = (await Repositories.OpenAsync(interrupted)).BackupAsync(new MemoryVolume(_content), _options, cancellationToken: Repositories.Token);
                await stop.Reached;
                _clock.Now += TimeSpan.FromDays(2);
                int pruneAt = pruneCall;
                await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => (isReached |= number == pruneAt) && number == pruneAt ? GoOnAsync(stop, writing) : Task.CompletedTask };
                await (await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token);
                await GoOnAsync(stop, writing);

                BackupRepository after = await Repositories.OpenAsync(store);
                if (writing.IsCompletedSuccessfully)
                {
                    VolumeAssert.Same(_content, await after.RestoreOverAsync(await writing), what);
                    committed++;
                }
                else
                {
                    await Assert.ThrowsAsync<BackupStateException>(() => writing);
                    failed++;
                }

                VolumeAssert.Same(_firstContent, await after.RestoreOverAsync(_first!), $"the first, {what}");
                await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
            }
        }

        Assert.True(failed > 0 && committed > 0, $"{failed} failed, {committed} were committed");
    }

    /// <summary>No record stands in the way of a repack that lives after all: it changes those that are there.</summary>
    [LongRunning]
    [Fact]
    public async Task A_repack_that_goes_on_at_any_moment_of_its_being_declared_dead_loses_nothing()
    {
        byte[] content = Repositories.Noise(600_000);
        await using var prepared = new InMemoryObjectStore(_clock);
        BackupRepository preparing = await Repositories.OpenAsync(prepared);
        await preparing.FullAsync(new MemoryVolume(content), _options);
        Repositories.Noise(500_000, 1).CopyTo(content, 0);
        await preparing.BackupAsync(new MemoryVolume(content), _options with { Incremental = true }, cancellationToken: Repositories.Token);
        await preparing.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        var repack = new PruneOptions { RepackBelowPercent = 50 };
        await using var counting = new FaultInjectingObjectStore(await prepared.CloneAsync(_clock), 1);
        Assert.True((await (await Repositories.OpenAsync(counting)).PruneAsync(repack, Repositories.Token)).PacksRepacked > 0);

        int stoppedByIt = 0;
        for (int call = 2; call <= counting.Calls; call++)
        {
            bool isReached = true;
            for (int pruneCall = 2; isReached; pruneCall++)
            {
                isReached = false;
                string what = $"stopped before call {call}, going on before call {pruneCall} of the prune";
                await using InMemoryObjectStore store = await prepared.CloneAsync(_clock);
                var stop = new Stop();
                int at = call;
                await using var interrupted = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? stop.WaitAsync() : Task.CompletedTask };
                Task<PruneReport> repacking = (await Repositories.OpenAsync(interrupted)).PruneAsync(repack, Repositories.Token);
                await Task.WhenAny(stop.Reached, repacking);
                _clock.Now += TimeSpan.FromDays(2);
                int pruneAt = pruneCall;
                await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => (isReached |= number == pruneAt) && number == pruneAt ? GoOnAsync(stop, repacking) : Task.CompletedTask };
                await TryAsync((await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token));
                await GoOnAsync(stop, repacking);
                stoppedByIt += await TryAsync(repacking) ? 0 : 1;

                BackupRepository after = await Repositories.OpenAsync(store);
                foreach (Backup backup in await after.ListAsync(cancellationToken: Repositories.Token))
                {
                    if (backup.Status == BackupStatus.Available)
                        VolumeAssert.Same(content, await after.RestoreOverAsync(backup), what);
                }

                await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
                Assert.Equal(BackupStatus.Available, Assert.Single(await after.ListAsync(cancellationToken: Repositories.Token)).Status);
            }
        }

        Assert.True(stoppedByIt > 0, "no repack noticed that it was declared dead");
    }

    /// <summary>Its mark is gone, so a writer does not see it; and it went on to delete.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_removal_that_is_declared_dead_at_any_moment_takes_nothing_from_a_writer_that_did_not_see_it(bool byPrune)
    {
        if (byPrune)
            await (await Repositories.OpenAsync(_store)).FullAsync(new MemoryVolume(_firstContent), _options);
        byte[] content = [.. _firstContent];
        content[0]++;
        int written = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await _store.CloneAsync(_clock);
            BackupRepository other = await Repositories.OpenAsync(store);
            Backup? child = null;
            int at = call;
            await using var interrupted = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? DeclareDeadAsync() : Task.CompletedTask };
            BackupRepository removing = await Repositories.OpenAsync(interrupted);
            await TryAsync(byPrune ? removing.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token) : removing.DeleteAsync(_first!.Id, Repositories.Token));
            if (child is not null)
            {
                VolumeAssert.Same(content, await other.RestoreOverAsync(child), $"declared dead before call {call}");
                written++;
            }

            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"declared dead before call {call}");

            async Task DeclareDeadAsync()
            {
                isReached = true;
                _clock.Now += TimeSpan.FromDays(2);
                await other.PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token);
                try
                {
                    child = await other.BackupAsync(new MemoryVolume(content), _options with { ParentId = _first!.Id }, cancellationToken: Repositories.Token);
                }
                catch (BackupEngineException e) when (e is BackupStateException or BackupNotFoundException)
                {
                    // The parent is being deleted, or gone.
                }
            }
        }

        Assert.True(written > 0, "no incremental was made");
    }

    /// <summary>Waits for an operation that others may have declared dead.</summary>
    private static async Task<bool> TryAsync(Task operation)
    {
        try
        {
            await operation;
            return true;
        }
        catch (Exception e) when (e is BackupStateException or BackupHasDependentsException)
        {
            return false;
        }
    }

    private static async Task GoOnAsync(Stop stop, Task operation)
    {
        stop.GoOn();
        await Task.WhenAny(operation);
    }
}
