using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Limits;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

public sealed class RepackBesideWriterTests
{
    private static readonly BackupOptions _incremental = new() { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 };

    /// <summary>The incremental has read its parent when it is held up; all of the repack, and the prune that follows it, come before it goes on.</summary>
    [LongRunning]
    [Fact]
    public async Task An_incremental_that_begins_before_any_call_of_a_repack_and_ends_after_it_fails_or_is_whole()
    {
        await using var prepared = new InMemoryObjectStore();
        byte[] content = await MakeMostlyDeadAsync(prepared);
        int committed = 0;
        int repacked = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await prepared.CloneAsync();
            BackupRepository repository = await Repositories.OpenAsync(store);
            var reading = new Stop();
            Task<Backup>? writing = null;
            int at = call;
            await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? BeginAsync() : Task.CompletedTask };
            PruneReport report = await (await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { RepackBelowPercent = 50 }, Repositories.Token);
            reading.GoOn();
            if (writing is null)
                break;
            await Task.WhenAny(writing);

            await repository.PruneAsync(cancellationToken: Repositories.Token);
            if (writing.IsCompletedSuccessfully)
                committed++;
            else
                await Assert.ThrowsAsync<BackupStateException>(() => writing);
            foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
                VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), $"begun before call {call}, backup {backup.Id}");
            Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
            repacked += report.PacksRepacked > 0 ? 1 : 0;

            async Task BeginAsync()
            {
                isReached = true;
                writing = repository.BackupAsync(new InterruptedVolume(content, reading.WaitAsync), _incremental, cancellationToken: Repositories.Token);
                await Task.WhenAny(reading.Reached, writing);
            }
        }

        Assert.True(committed > 0 && repacked > 0, $"{committed} were committed, {repacked} beside a repack that did something");
    }

    /// <summary>Its manifest's id is none of the chain's, so the mark of whoever removes it was not recognized.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_import_of_a_repacked_backup_at_any_moment_of_its_removal_fails_or_is_whole(bool byPrune)
    {
        await using var prepared = new InMemoryObjectStore();
        byte[] content = await MakeMostlyDeadAsync(prepared);
        BackupRepository preparing = await Repositories.OpenAsync(prepared);
        Assert.True((await preparing.PruneAsync(new PruneOptions { RepackBelowPercent = 50 }, Repositories.Token)).PacksRepacked > 0);
        Backup repacked = Assert.Single(await preparing.ListAsync(cancellationToken: Repositories.Token));
        ExportedRecord record = RecordTests.WithId(await preparing.ExportRecordAsync(repacked.Id, Repositories.Token), Guid.NewGuid());
        if (byPrune)
            await preparing.FullAsync(new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, Workers = 1 });

        int imported = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await prepared.CloneAsync();
            BackupRepository repository = await Repositories.OpenAsync(store);
            int at = call;
            await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? ImportAsync() : Task.CompletedTask };
            try
            {
                BackupRepository removing = await Repositories.OpenAsync(watched);
                if (byPrune)
                    await removing.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
                else
                    await removing.DeleteAsync(repacked.Id, Repositories.Token);
            }
            catch (BackupHasDependentsException)
            {
                // It saw the import.
            }

            foreach (Backup backup in (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Available))
                VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), $"imported before call {call}, backup {backup.Id}");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"imported before call {call}");

            async Task ImportAsync()
            {
                isReached = true;
                try
                {
                    await repository.ImportRecordAsync(record, Repositories.Token);
                    imported++;
                }
                catch (BackupEngineException e) when (e is BackupStateException or RecordFormatException)
                {
                    // Too late.
                }
            }
        }

        Assert.True(imported > 0, "nothing was imported");
    }

    /// <summary>
    /// When it has read the record before the other changed it, it moves only what it finds worth it, and refers to the rest where the other took it from. The prune
    /// after the other does not see it, and removes that.
    /// </summary>
    [Fact]
    public async Task A_repack_that_ends_after_another_and_its_prune_leaves_the_backup_to_the_other()
    {
        await using var prepared = new InMemoryObjectStore();
        BackupRepository preparing = await Repositories.OpenAsync(prepared);
        byte[] content = Repositories.Noise(2 << 20);
        await preparing.FullAsync(new MemoryVolume(content));
        foreach (int renewed in new[] { 1 << 20, 15 << 16 })
        {
            Repositories.Noise(renewed, renewed).CopyTo(content, 0);
            await preparing.BackupAsync(new MemoryVolume(content), _incremental, cancellationToken: Repositories.Token);
        }

        await preparing.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);

        int left = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            await using InMemoryObjectStore store = await prepared.CloneAsync();
            var inItsMiddle = new Stop();
            var beforeSwitching = new Stop();
            var beforeRemoving = new Stop();
            await using var watched = new WatchedStore(store, async (key, _) =>
            {
                if (StoreKeys.TryParseDeletion(key, out string _, out Guid _))
                    await beforeSwitching.WaitAsync();
            });
            int at = call;
            await using var slowly = new FaultInjectingObjectStore(watched, 1) { BeforeCall = number => number == at ? inItsMiddle.WaitAsync() : Task.CompletedTask };
            await using var quickly = new FullStore(store) { BeforeDelete = keys => keys.Any(key => key.StartsWith(StoreKeys.Volumes, StringComparison.Ordinal)) ? beforeRemoving.WaitAsync() : Task.CompletedTask };
            Task<PruneReport> slow = (await Repositories.OpenAsync(slowly)).PruneAsync(new PruneOptions { RepackBelowPercent = 20 }, Repositories.Token);
            await Task.WhenAny(inItsMiddle.Reached, beforeSwitching.Reached, slow);
            isReached = inItsMiddle.Reached.IsCompleted;
            Task<PruneReport> quick = (await Repositories.OpenAsync(quickly)).PruneAsync(new PruneOptions { RepackBelowPercent = 80 }, Repositories.Token);
            await Task.WhenAny(beforeRemoving.Reached, quick);

            inItsMiddle.GoOn();
            await Task.WhenAny(beforeSwitching.Reached, slow);
            beforeRemoving.GoOn();
            await Task.WhenAny(quick);
            beforeSwitching.GoOn();
            await Task.WhenAny(slow);
            Exception?[] failed = [slow.Exception?.InnerException, quick.Exception?.InnerException];
            Assert.All(failed, e => Assert.True(e is null or BackupStateException, $"stopped before call {call}: {e}"));
            left += slow.IsCompletedSuccessfully && (await slow).Kept.Any(kept => kept.Contains("it was changed meanwhile", StringComparison.Ordinal)) ? 1 : 0;

            BackupRepository repository = await Repositories.OpenAsync(store);
            Backup backup = Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
            VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), $"stopped before call {call}");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"stopped before call {call}");
        }

        Assert.True(left > 0, "none came too late");
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
