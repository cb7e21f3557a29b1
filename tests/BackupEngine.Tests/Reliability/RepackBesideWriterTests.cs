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
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await prepared.CloneAsync();
            BackupRepository repository = await Repositories.OpenAsync(store);
            var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task<Backup>? writing = null;
            int at = call;
            await using var watched = new FaultInjectingObjectStore(store, 1) { BeforeCall = number => number == at ? BeginAsync() : Task.CompletedTask };
            PruneReport report = await (await Repositories.OpenAsync(watched)).PruneAsync(new PruneOptions { RepackBelowPercent = 50 }, Repositories.Token);
            goesOn.SetResult();
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
