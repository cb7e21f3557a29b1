using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Concurrent reads by offset, and backups as volumes.</summary>
public sealed class PositionalReadTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(40_000_001);
    private BackupRepository _repository = null!;
    private Backup _backup = null!;

    public async ValueTask InitializeAsync()
    {
        _content.AsSpan(2_000_000, 25_000_000).Clear();
        _repository = await Repositories.OpenAsync(_store);
        _backup = await _repository.FullAsync(new MemoryVolume(_content));
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task ReadAt_ManyCallersAtOnce_ReturnsTheirBytes()
    {
        await using BackupStream stream = await _repository.OpenReadAsync(_backup.Id, cancellationToken: Repositories.Token);
        await Parallel.ForEachAsync(Enumerable.Range(0, 8), Repositories.Token, async (caller, token) =>
        {
            var random = new Random(caller);
            byte[] buffer = new byte[300_000];
            for (int read = 0; read < 40; read++)
            {
                int offset = random.Next(_content.Length);
                int length = random.Next(buffer.Length);
                int count = await stream.ReadAtAsync(buffer.AsMemory(0, length), offset, token);
                Assert.Equal(Math.Min(length, _content.Length - offset), count);
                Assert.True(buffer.AsSpan(0, count).SequenceEqual(_content.AsSpan(offset, count)), $"{count} bytes at {offset}");
            }
        });
        Assert.Equal(0, stream.Position);
        Assert.Equal(0, await stream.ReadAtAsync(new byte[10], stream.Length, Repositories.Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await stream.ReadAtAsync(new byte[10], -1, Repositories.Token));
    }

    [Fact]
    public async Task ReadAt_OneCallerCancels_DoesNotDisturbOthers()
    {
        var hooked = new HookedStore(_store);
        BackupRepository repository = await Repositories.OpenAsync(hooked);
        await using BackupStream stream = await repository.OpenReadAsync(_backup.Id, cancellationToken: Repositories.Token);
        var gate = new TaskCompletionSource();
        hooked.Before = (call, _) => call == "get" ? gate.Task : Task.CompletedTask;
        using var cancel = new CancellationTokenSource();
        Task<int> cancelled = stream.ReadAtAsync(new byte[100], 0, cancel.Token).AsTask();
        byte[] buffer = new byte[100];
        Task<int> other = stream.ReadAtAsync(buffer, 0, Repositories.Token).AsTask();
        await cancel.CancelAsync();
        gate.SetResult();
        Assert.Equal(100, await other);
        Assert.True(buffer.AsSpan().SequenceEqual(_content.AsSpan(0, 100)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public async Task ReadAt_AfterDispose_ThrowsObjectDisposedException()
    {
        BackupStream stream = await _repository.OpenReadAsync(_backup.Id, cancellationToken: Repositories.Token);
        await stream.ReadAtAsync(new byte[10], 0, Repositories.Token);
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAtAsync(new byte[10], 0, Repositories.Token));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadExactlyAsync(new byte[10], Repositories.Token));
    }

    [Fact]
    public async Task ReadAt_BackupWasDeleted_ThrowsBackupStateException()
    {
        await using BackupStream stream = await _repository.OpenReadAsync(_backup.Id, cancellationToken: Repositories.Token);
        await using IVolume volume = await _repository.OpenVolumeAsync(_backup.Id, Repositories.Token);
        await _repository.DeleteAsync(_backup.Id, Repositories.Token);
        await Assert.ThrowsAsync<BackupStateException>(async () => await stream.ReadAtAsync(new byte[10], 0, Repositories.Token));
        await Assert.ThrowsAsync<BackupStateException>(async () => await volume.FindAllocatedAsync(0, Repositories.Token));
    }

    [Fact]
    public async Task OpenVolume_Backup_HasItsContentAndHoles()
    {
        await using IVolume volume = await _repository.OpenVolumeAsync(_backup.Id, Repositories.Token);
        await VolumeAssert.HoldsAsync(_content, volume, "the backup as a volume", Repositories.Token);
        List<VolumeExtent> extents = await volume.FindAllAllocatedAsync(Repositories.Token);
        Assert.True(extents.Sum(extent => extent.Length) < 15_200_000, string.Join(' ', extents));

        await using var elsewhere = new InMemoryObjectStore();
        BackupRepository copies = await Repositories.OpenAsync(elsewhere);
        Backup copy = await copies.FullAsync(volume);
        VolumeAssert.Same(_content, await copies.RestoreOverAsync(copy), "the copy of the backup");
        Assert.True(copy.BytesRead < 15_200_000);
    }
}
