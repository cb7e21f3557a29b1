using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>A store that stops working in the middle, for good: full, read-only, vanished, or with credentials revoked.</summary>
public sealed class OutageTests
{
    private const int VolumeSize = 30 << 20;

    [Theory]
    [InlineData(ObjectStoreError.OutOfSpace)]
    [InlineData(ObjectStoreError.AccessDenied)]
    [InlineData(ObjectStoreError.ContainerNotFound)]
    [InlineData(ObjectStoreError.Unavailable)]
    [InlineData(ObjectStoreError.Failed)]
    public async Task A_store_that_fails_from_any_call_on_fails_the_backup_with_its_own_words_and_the_next_attempt_succeeds(ObjectStoreError error)
    {
        await using var healthy = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(healthy);
        byte[] before = Repositories.Noise(VolumeSize, 1);
        Backup full = await repository.FullAsync(new MemoryVolume(before), Options());
        byte[] now = Repositories.Noise(VolumeSize, 2);
        for (int call = 2; call <= 20; call += 3)
        {
            await using InMemoryObjectStore store = await healthy.CloneAsync();
            await using var failing = new FaultInjectingObjectStore(store, 1) { FailingCall = call, FailsFromThenOn = true, Error = error };
            BackupRepository cutOff = await Repositories.OpenAsync(failing);
            ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => cutOff.FullAsync(new MemoryVolume(now), Options() with { Incremental = true }));
            Assert.Equal(error, e.Error);
            Assert.Contains("injected fault", e.Message, StringComparison.Ordinal);

            BackupRepository again = await Repositories.OpenAsync(store);
            Backup next = await again.FullAsync(new MemoryVolume(now), Options() with { Incremental = true });
            VolumeAssert.Same(now, await again.RestoreOverAsync(next), $"{error} from call {call}, the next attempt");
            VolumeAssert.Same(before, await again.RestoreOverAsync(full), $"{error} from call {call}, the first");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"{error} from call {call}");
        }
    }

    [Fact]
    public async Task A_full_disk_fails_cleanly_and_with_room_again_the_backup_succeeds()
    {
        LoopDevice.Require();
        using MountPoint mount = MountPoint.Tmpfs(24 << 20);
        await using var store = new DirectoryObjectStore(mount.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup first = await repository.FullAsync(new MemoryVolume(Repositories.Noise(4 << 20)), Options());
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => repository.FullAsync(new MemoryVolume(Repositories.Noise(VolumeSize, 2)), Options()));
        Assert.Equal(ObjectStoreError.OutOfSpace, e.Error);
        VolumeAssert.Same(Repositories.Noise(4 << 20), await repository.RestoreOverAsync(first), "the first");
        Backup next = await repository.FullAsync(new MemoryVolume(Repositories.Noise(8 << 20, 3)), Options());
        VolumeAssert.Same(Repositories.Noise(8 << 20, 3), await repository.RestoreOverAsync(next), "the next");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "a full disk");
    }

    [Fact]
    public async Task A_read_only_store_refuses_to_be_changed_and_restores()
    {
        LoopDevice.Require();
        using MountPoint mount = MountPoint.Tmpfs(24 << 20);
        await using var store = new DirectoryObjectStore(mount.File("store"));
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup first = await repository.FullAsync(new MemoryVolume(Repositories.Noise(1 << 20)), Options());
        mount.MakeReadOnly();
        await AssertRefusedAsync(() => repository.FullAsync(new MemoryVolume(Repositories.Noise(2 << 20)), Options()));
        await AssertRefusedAsync(() => repository.DeleteAsync(first.Id, Repositories.Token));
        await AssertRefusedAsync(() => repository.PruneAsync(new PruneOptions { KeepLast = 1, BreakIntents = true }, Repositories.Token), mayDoNothing: true);
        VolumeAssert.Same(Repositories.Noise(1 << 20), await repository.RestoreOverAsync(first), "from a read-only store");

        static async Task AssertRefusedAsync(Func<Task> change, bool mayDoNothing = false)
        {
            try
            {
                await change();
                Assert.True(mayDoNothing);
            }
            catch (ObjectStoreException e)
            {
                Assert.Equal(ObjectStoreError.AccessDenied, e.Error);
            }
        }
    }

    private static BackupOptions Options() => new() { VolumeId = Repositories.VolumeId, Workers = 1, MaxMemoryBytes = 16 << 20 };
}
