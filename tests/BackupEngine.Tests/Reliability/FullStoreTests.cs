using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Misuse;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A store without room must let go of what is not needed: nothing else frees space.</summary>
public sealed class FullStoreTests
{
    private const int VolumeSize = 600_000;

    [Theory]
    [InlineData("delete")]
    [InlineData("prune")]
    [InlineData("retention")]
    public async Task DirectoryWithoutRoom_OperationThatFreesSpace_Succeeds(string operation)
    {
        using MountedDirectory mounted = MountedDirectory.Create(12 << 20);
        List<(Backup Backup, byte[] Content)> chain;
        await using (DirectoryObjectStore writing = new(mounted.DirectoryPath))
        {
            BackupRepository repository = await BackupRepository.CreateAsync(writing, cancellationToken: Repositories.Token);
            chain = await BackUpAsync(repository);
            if (operation == "prune")
                await new RecordStore(writing).ChangeRecordAsync(chain[^1].Backup, now => now with { Status = BackupStatus.Deleting }, Repositories.Token);
        }

        FillUp(Path.Join(mounted.DirectoryPath, "filler~"));

        // A new process: it checks what the store supports before its first put.
        await using DirectoryObjectStore store = new(mounted.DirectoryPath);
        BackupRepository full = await BackupRepository.OpenAsync(store, cancellationToken: Repositories.Token);
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => full.FullAsync(new MemoryVolume(Repositories.Noise(2 << 20, 9))));
        Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
        e = await Assert.ThrowsAsync<ObjectStoreException>(() => full.FullAsync(new MemoryVolume(Repositories.Noise(100_000, 9))));
        Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
        long free = new DriveInfo(mounted.DirectoryPath).AvailableFreeSpace;
        int kept = operation == "retention" ? 1 : 2;
        if (operation == "delete")
            await full.DeleteAsync(chain[^1].Backup.Id, Repositories.Token);
        else
            await full.PruneAsync(operation == "prune" ? null : new PruneOptions { KeepLast = 1 }, Repositories.Token);

        Assert.InRange(new DriveInfo(mounted.DirectoryPath).AvailableFreeSpace - free, VolumeSize * 9 / 10, long.MaxValue);
        IReadOnlyList<Backup> left = await full.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(kept, left.Count);
        foreach (Backup backup in left)
            VolumeAssert.Same(chain.Find(item => item.Backup.Id == backup.Id).Content, await full.RestoreOverAsync(backup), "after the store was full");
        Assert.Empty((await full.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    /// <summary>There is room for some marks: what has one goes, and the next prune removes the rest.</summary>
    [Fact]
    public async Task Prune_NoRoomForAllMarks_RemovesWhatHasOneAndSaysWhatStays()
    {
        await using var inner = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(inner);
        List<(Backup Backup, byte[] Content)> chain = [.. await BackUpAsync(repository), .. await BackUpAsync(repository)];
        int room = 2;
        var store = new HookedStore(inner)
        {
            Before = (call, key) => call == "put" && StoreKeys.TryParseDeletion(key, out _, out _) && room-- <= 0
                ? throw new ObjectStoreException(ObjectStoreError.OutOfSpace, key, "no room")
                : Task.CompletedTask,
        };
        BackupRepository full = await Repositories.OpenAsync(store);
        PruneReport report = await full.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal(2, report.BackupsRemoved.Count);
        Assert.Contains(report.Kept, kept => kept.StartsWith("3 of 5 backups", StringComparison.Ordinal));
        await CheckAsync(4);

        room = 0;
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => full.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token));
        Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
        await CheckAsync(4);
        room = 10;
        Assert.Empty((await full.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token)).Kept);
        await CheckAsync(1);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(inner, "after the last prune");

        async Task CheckAsync(int count)
        {
            IReadOnlyList<Backup> left = await repository.ListAsync(cancellationToken: Repositories.Token);
            Assert.Equal(count, left.Count);
            foreach (Backup backup in left)
                VolumeAssert.Same(chain.Find(item => item.Backup.Id == backup.Id).Content, await repository.RestoreOverAsync(backup), $"{count} left");
        }
    }

    /// <summary>A full, an incremental, and another full.</summary>
    private static async Task<List<(Backup Backup, byte[] Content)>> BackUpAsync(BackupRepository repository)
    {
        List<(Backup, byte[])> chain = [];
        byte[] content = Repositories.Noise(VolumeSize);
        for (int i = 0; i < 3; i++)
        {
            content = [.. content];
            Repositories.Noise(200_000, i + 10).CopyTo(content, i * 200_000);
            Backup backup = await repository.BackupAsync(
                new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = i == 1 }, cancellationToken: Repositories.Token);
            chain.Add((backup, content));
        }

        return chain;
    }

    /// <summary>Takes every block that is free.</summary>
    private static void FillUp(string path)
    {
        using FileStream filler = File.Create(path, bufferSize: 0);
        try
        {
            for (byte[] block = new byte[4096]; ;)
                filler.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
