using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
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
        int calls = int.MaxValue;
        for (int call = 2; call <= calls; call++)
        {
            InMemoryObjectStore store = await _store.CloneAsync(_clock);
            BackupRepository pruning = await Repositories.OpenAsync(store);
            int at = call;
            await using var interrupted = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != at)
                        return;
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
            calls = Math.Min(calls, interrupted.Calls);
        }

        Assert.InRange(failed, 1, calls);
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
            int pruneCalls = int.MaxValue;
            for (int pruneCall = 2; pruneCall <= pruneCalls; pruneCall++)
            {
                string what = $"stopped before call {call}, going on before call {pruneCall} of the prune";
                InMemoryObjectStore store = await _store.CloneAsync(_clock);
                var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                int at = call;
                await using var interrupted = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? StopAsync(stopped, goesOn) : Task.CompletedTask };
                Task<Backup> writing = (await Repositories.OpenAsync(interrupted)).BackupAsync(new MemoryVolume(_content), _options, cancellationToken: Repositories.Token);
                await stopped.Task;
                _clock.Now += TimeSpan.FromDays(2);
                int pruneAt = pruneCall;
                await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == pruneAt ? GoOnAsync(goesOn, writing) : Task.CompletedTask };
                await (await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token);
                await GoOnAsync(goesOn, writing);

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
                pruneCalls = Math.Min(pruneCalls, watched.Calls);
            }
        }

        Assert.True(failed > 0 && committed > 0, $"{failed} failed, {committed} were committed");

        static async Task StopAsync(TaskCompletionSource stopped, TaskCompletionSource goesOn)
        {
            stopped.SetResult();
            await goesOn.Task;
        }

        static async Task GoOnAsync(TaskCompletionSource goesOn, Task writing)
        {
            goesOn.TrySetResult();
            await Task.WhenAny(writing);
        }
    }
}
