using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Streams of backups that are used by several callers, or whose backup is deleted.</summary>
public sealed class SharedStreamTests
{
    private readonly byte[] _content = Repositories.Noise(3_000_000);

    [Fact]
    public async Task Read_AnotherReadInProgress_ThrowsInvalidOperationException()
    {
        await using var inner = new InMemoryObjectStore();
        var store = new HookedStore(inner);
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        await using Stream stream = await repository.OpenReadAsync(backup.Id, cancellationToken: Repositories.Token);
        var gate = new TaskCompletionSource();
        store.Before = (call, _) => call == "get" ? gate.Task : Task.CompletedTask;

        byte[] first = new byte[100];
        Task<int> reading = stream.ReadAsync(first, Repositories.Token).AsTask();
        Task<int> second = stream.ReadAsync(new byte[100], Repositories.Token).AsTask();
        Assert.True(second.IsFaulted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second);
        Assert.Throws<InvalidOperationException>(() => stream.Position = 5);
        Assert.Throws<InvalidOperationException>(() => stream.Seek(5, SeekOrigin.Begin));

        gate.SetResult();
        Assert.Equal(100, await reading);
        Assert.True(first.AsSpan().SequenceEqual(_content.AsSpan(0, 100)));
        stream.Position = 5;
        Assert.Equal(100, await stream.ReadAsync(first, Repositories.Token));
        Assert.True(first.AsSpan().SequenceEqual(_content.AsSpan(5, 100)));
    }

    [Fact]
    public async Task Read_BackupWasDeleted_ThrowsBackupStateException()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        await using Stream stream = await repository.OpenReadAsync(backup.Id, cancellationToken: Repositories.Token);
        await repository.DeleteAsync(backup.Id, Repositories.Token);
        BackupStateException e = await Assert.ThrowsAsync<BackupStateException>(async () => await stream.ReadExactlyAsync(new byte[100], Repositories.Token));
        Assert.Contains($"Backup {backup.Id} was deleted", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenRead_BackupDeletedMeanwhile_ThrowsBackupStateException()
    {
        await using var inner = new InMemoryObjectStore();
        var store = new HookedStore(inner);
        BackupRepository repository = await Repositories.OpenAsync(store);
        BackupRepository other = await Repositories.OpenAsync(inner);
        Backup backup = await repository.FullAsync(new MemoryVolume(_content));
        store.Before = async (call, key) =>
        {
            if (call == "get" && key == backup.ManifestKey)
            {
                store.Before = null;
                await other.DeleteAsync(backup.Id, Repositories.Token);
            }
        };
        await Assert.ThrowsAsync<BackupStateException>(() => repository.OpenReadAsync(backup.Id, cancellationToken: Repositories.Token));
    }
}
