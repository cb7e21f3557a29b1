using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Custom volumes that break the contract of IVolume fail the operation with an error that names them, and never hang it.</summary>
public sealed class VolumeContractTests : IAsyncLifetime
{
    private const int Size = 3_000_000;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(20);
    private readonly InMemoryObjectStore _store = new();
    private readonly HookedVolume _volume = new(new MemoryVolume(Repositories.Noise(Size)));
    private BackupRepository _repository = null!;
    private List<string> _keys = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _keys = await _store.ListKeysAsync();
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    public static TheoryData<string, Func<long, VolumeExtent>> WrongExtents => new()
    {
        { "empty", offset => new(offset, 0) },
        { "of negative length", offset => new(offset, -1) },
        { "behind the offset", offset => offset < 1_000_000 ? new(offset, 1_000_000 - offset) : new(500_000, 4096) },
        { "around the offset", offset => offset < 1_000_000 ? new(offset, 1_000_000 - offset) : new(offset - 1, 4096) },
        { "before the volume", _ => new(-1, 1) },
        { "past the end", _ => new(Size, 1) },
        { "over the end", offset => new(offset, Size - offset + 1) },
        { "that overflows", offset => new(offset + 1, long.MaxValue) },
    };

    [Theory]
    [MemberData(nameof(WrongExtents), DisableDiscoveryEnumeration = true)]
    public async Task Backup_WrongAllocatedExtent_ThrowsVolumeException(string what, Func<long, VolumeExtent> find)
    {
        _volume.Find = offset => new(find(offset));
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync().WaitAsync(_limit, Repositories.Token));
        Assert.Equal(_volume.Name, e.VolumeName);
        Assert.True(e.Message.StartsWith($"{_volume.Name} broke the contract of FindAllocatedAsync", StringComparison.Ordinal), $"{what}: {e.Message}");
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Backup_AllocatedExtentNeverComes_IsCancelled()
    {
        using var cancel = new CancellationTokenSource();
        var never = new TaskCompletionSource<VolumeExtent?>();
        _volume.Find = _ =>
        {
            cancel.CancelAfter(50);
            return new ValueTask<VolumeExtent?>(never.Task);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BackupUntilAsync(cancel.Token).WaitAsync(_limit, Repositories.Token));
    }

    [Fact]
    public async Task Backup_NegativeSize_ThrowsVolumeException()
    {
        _volume.Size = () => -5;
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync());
        Assert.Contains("-5 bytes", e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Backup_SizeChangesMeanwhile_ThrowsVolumeException()
    {
        int reads = 0;
        _volume.BeforeRead = _ =>
        {
            reads++;
            return default;
        };
        _volume.Size = () => reads < 2 ? Size : Size - 1;
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync());
        Assert.Contains("the size of a volume must not change", e.Message, StringComparison.Ordinal);
        Assert.Equal(_keys, await _store.ListKeysAsync());
    }

    public static TheoryData<Exception, bool> ForeignErrors => new()
    {
        { new TaskCanceledException("The request was canceled due to the configured HttpClient.Timeout."), true },
        { new OperationCanceledException("gave up"), true },
        { new TimeoutException("too slow"), true },
        { new IOException("the link is down"), true },
        { new InvalidOperationException("not connected"), false },
        { new NotSupportedException("a bug"), false },
    };

    [Theory]
    [MemberData(nameof(ForeignErrors), DisableDiscoveryEnumeration = true)]
    public async Task Backup_ForeignExceptionOfVolume_IsWrapped(Exception error, bool isTransient)
    {
        foreach (bool isAsynchronous in new[] { false, true })
        {
            _volume.BeforeRead = async offset =>
            {
                if (isAsynchronous)
                    await Task.Yield();
                if (offset > 500_000)
                    throw error;
            };
            VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => BackupAsync());
            Assert.Equal((_volume.Name, isTransient), (e.VolumeName, e.IsTransient));
            Assert.Same(error, e.InnerException);
            Assert.Contains(error.Message.TrimEnd('.'), e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(ForeignErrors), DisableDiscoveryEnumeration = true)]
    public async Task Restore_ForeignExceptionOfTarget_IsWrapped(Exception error, bool isTransient)
    {
        Backup backup = await BackupAsync();
        var target = new HookedVolume(new MemoryVolume(Size)) { BeforeWrite = () => throw error };
        VolumeException e = await Assert.ThrowsAsync<VolumeException>(() => _repository.RestoreAsync(backup.Id, target, cancellationToken: Repositories.Token));
        Assert.Equal((target.Name, isTransient), (e.VolumeName, e.IsTransient));
        Assert.Same(error, e.InnerException);

        target = new HookedVolume(new MemoryVolume(Repositories.Noise(Size, seed: 9))) { BeforeRead = _ => throw error };
        e = await Assert.ThrowsAsync<VolumeException>(() => _repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = true }, cancellationToken: Repositories.Token));
        Assert.Same(error, e.InnerException);
    }

    [Fact]
    public async Task Restore_TargetReturnsEmptyExtents_ThrowsVolumeException()
    {
        Backup zeros = await _repository.FullAsync(new MemoryVolume(Size));
        var target = new HookedVolume(new MemoryVolume(Repositories.Noise(Size, seed: 9))) { Find = offset => new(new VolumeExtent(offset, 0)) };
        await Assert.ThrowsAsync<VolumeException>(() => Task.Run(
            () => _repository.RestoreAsync(zeros.Id, target, new RestoreOptions { Differential = true }, cancellationToken: Repositories.Token)).WaitAsync(_limit, Repositories.Token));
    }

    private Task<Backup> BackupAsync() => BackupUntilAsync(Repositories.Token);

    private Task<Backup> BackupUntilAsync(CancellationToken cancellationToken) => Task.Run(
        () => _repository.BackupAsync(_volume, new BackupOptions { VolumeId = Repositories.VolumeId, Resume = false }, cancellationToken: cancellationToken), Repositories.Token);
}
