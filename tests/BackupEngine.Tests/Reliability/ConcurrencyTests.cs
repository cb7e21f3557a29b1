using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Many at once on one directory: nothing is lost, nothing waits for ever, and what is left over is only what a prune removes.</summary>
public sealed class ConcurrencyTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Eight_volumes_are_backed_up_at_once_while_others_delete_and_prune()
    {
        await using var store = new DirectoryObjectStore(_directory.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(BackUpAsync).Append(SweepAsync()));
        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(8 * 3, backups.Count);
        foreach (Backup backup in backups)
            VolumeAssert.Same(Content(backup.VolumeId, backup.Name!), await repository.RestoreOverAsync(backup), backup.ToString());
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "eight volumes at once");

        async Task BackUpAsync(int volume)
        {
            string volumeId = $"volume-{volume}";
            for (int step = 0; step < 4; step++)
            {
                Backup backup = await repository.BackupAsync(
                    new MemoryVolume(Content(volumeId, $"{step}")), new BackupOptions { VolumeId = volumeId, Name = $"{step}", Incremental = step > 0, MaxMemoryBytes = 16 << 20 }, cancellationToken: Repositories.Token);
                if (step == 3)
                    await repository.DeleteAsync(backup.Id, Repositories.Token);
            }
        }

        async Task SweepAsync()
        {
            for (int round = 0; round < 10; round++)
                await repository.PruneAsync(cancellationToken: Repositories.Token);
        }
    }

    [Fact]
    public async Task Two_backups_of_one_volume_at_once_are_both_whole()
    {
        await using var store = new DirectoryObjectStore(_directory.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup full = await repository.FullAsync(new MemoryVolume(Content("a", "0")));
        Backup[] both = await Task.WhenAll(Enumerable.Range(1, 2).Select(step => repository.BackupAsync(
            new MemoryVolume(Content("a", $"{step}")), new BackupOptions { VolumeId = Repositories.VolumeId, Name = $"{step}", ParentId = full.Id }, cancellationToken: Repositories.Token)));
        foreach (Backup backup in both)
            VolumeAssert.Same(Content("a", backup.Name!), await repository.RestoreOverAsync(backup), backup.ToString());
        Assert.All(both, backup => Assert.Equal(full.Id, backup.ParentId));
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "two at once");
    }

    [Fact]
    public async Task Of_two_backups_with_one_id_one_is_made()
    {
        await using var store = new DirectoryObjectStore(_directory.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, BackupId = Guid.NewGuid() };
        int made = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                await repository.BackupAsync(new MemoryVolume(Content("a", "0")), options, cancellationToken: Repositories.Token);
                Interlocked.Increment(ref made);
            }
            catch (BackupStateException)
            {
                // Another was faster.
            }
        }));
        Assert.Equal(1, made);
        VolumeAssert.Same(Content("a", "0"), await repository.RestoreOverAsync(await repository.GetAsync(options.BackupId.Value, Repositories.Token)), "the one that was made");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "one id");
    }

    /// <summary>The second put its intent when the first had committed and removed its own, overwrote the first's packs, and removed them with its manifest when it failed.</summary>
    [Fact]
    public async Task Whenever_another_backup_of_its_id_is_made_one_of_the_two_is_whole()
    {
        for (int call = 1, calls = int.MaxValue; call <= calls; call++)
        {
            await using var inner = new InMemoryObjectStore();
            BackupRepository other = await Repositories.OpenAsync(inner);
            var options = new BackupOptions { VolumeId = Repositories.VolumeId, BackupId = Guid.NewGuid() };
            bool isOtherMade = false;
            await using var store = new FaultInjectingObjectStore(inner, 1)
            {
                BeforeCall = async number =>
                {
                    calls = number;
                    if (number == call)
                        isOtherMade = await TryBackUpAsync(other, Content("other", "1"), options);
                },
            };
            calls = 0;
            bool isOneMade = await TryBackUpAsync(await Repositories.OpenAsync(store), Content("one", "0"), options);
            Assert.True(isOneMade != isOtherMade, $"before call {call}: {isOneMade}, {isOtherMade}");
            VolumeAssert.Same(isOneMade ? Content("one", "0") : Content("other", "1"), await other.RestoreOverAsync(await other.GetAsync(options.BackupId.Value, Repositories.Token)), $"before call {call}");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(inner, $"before call {call}");
        }
    }

    private static async Task<bool> TryBackUpAsync(BackupRepository repository, byte[] content, BackupOptions options)
    {
        try
        {
            await repository.BackupAsync(new MemoryVolume(content), options, cancellationToken: Repositories.Token);
            return true;
        }
        catch (BackupStateException)
        {
            return false;
        }
    }

    private static byte[] Content(string volume, string step)
    {
        byte[] content = Repositories.Noise(1_000_000, volume.Length + volume[^1]);
        Repositories.Noise(100_000, step[0]).CopyTo(content, (step[0] - '0') * 200_000);
        return content;
    }
}
