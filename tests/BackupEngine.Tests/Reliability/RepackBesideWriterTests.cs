using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

public sealed class RepackBesideWriterTests
{
    private static readonly BackupOptions _incremental = new() { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 };

    /// <summary>The incremental has read its parent when it is held up; all of the repack, and the prune that follows it, come before it goes on.</summary>
    [Fact]
    public async Task An_incremental_that_begins_before_any_call_of_a_repack_and_ends_after_it_fails_or_is_whole()
    {
        await using var prepared = new InMemoryObjectStore();
        byte[] content = await MakeMostlyDeadAsync(prepared);
        int committed = 0;
        int repacked = 0;
        int calls = int.MaxValue;
        for (int call = 2; call <= calls; call++)
        {
            await using InMemoryObjectStore store = await prepared.CloneAsync();
            BackupRepository repository = await Repositories.OpenAsync(store);
            var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<Backup>? writing = null;
            int at = call;
            await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? BeginAsync() : Task.CompletedTask };
            PruneReport report = await (await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { RepackBelowPercent = 50 }, Repositories.Token);
            goesOn.SetResult();
            await Task.WhenAny(writing!);

            await repository.PruneAsync(cancellationToken: Repositories.Token);
            if (writing!.IsCompletedSuccessfully)
                committed++;
            else
                await Assert.ThrowsAsync<BackupStateException>(() => writing);
            foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
                VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), $"begun before call {call}, backup {backup.Id}");
            Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
            repacked += report.PacksRepacked > 0 ? 1 : 0;
            calls = Math.Min(calls, watched.Calls);

            async Task BeginAsync()
            {
                var volume = new InterruptedVolume(content, async () =>
                {
                    reading.SetResult();
                    await goesOn.Task;
                });
                writing = repository.BackupAsync(volume, _incremental, cancellationToken: Repositories.Token);
                await Task.WhenAny(reading.Task, writing);
            }
        }

        Assert.True(committed > 0 && repacked > 0, $"{committed} were committed, {repacked} beside a repack that did something");
    }

    /// <summary>One backup, which needs little of a pack of a backup that is gone.</summary>
    /// <returns>The volume as that backup holds it.</returns>
    private static async Task<byte[]> MakeMostlyDeadAsync(IObjectStore store)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        byte[] content = Repositories.Noise(2_000_000);
        await repository.FullAsync(new MemoryVolume(content));
        Repositories.Noise(1_800_000, 1).CopyTo(content, 0);
        await repository.BackupAsync(new MemoryVolume(content), _incremental, cancellationToken: Repositories.Token);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        return content;
    }
}
