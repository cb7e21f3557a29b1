using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Data in the parent, zeros in the child: after restoring the child those bytes are zero, whatever the target. Others get this wrong.</summary>
public sealed class ZerosOverDataTests : IAsyncLifetime
{
    private const int Size = 3 * 65_536 + 5_000;
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _parent = Repositories.Noise(Size);
    private readonly byte[] _child = Repositories.Noise(Size);
    private BackupRepository _repository = null!;
    private Backup _backup = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        await _repository.FullAsync(new MemoryVolume(_parent));
        _child.AsSpan(65_536, 65_536).Clear();
        _child.AsSpan(3 * 65_536).Clear();
        _backup = await _repository.IncrementalAsync(new MemoryVolume(_child));
        Assert.Equal(65_536 + 5_000, _backup.BytesChanged);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task In_a_new_volume()
    {
        var target = new MemoryVolume(Size);
        await _repository.RestoreAsync(_backup.Id, target, cancellationToken: Repositories.Token);
        VolumeAssert.Same(_child, target.ToArray(), "a new volume");
        Assert.Equal(0, target.BytesZeroed);
    }

    [Fact]
    public async Task In_a_new_file()
    {
        using var directory = new ScratchDirectory();
        await using FileVolume target = FileVolume.Create(directory.File("new.img"), Size);
        await _repository.RestoreAsync(_backup.Id, target, cancellationToken: Repositories.Token);
        await VolumeAssert.HoldsAsync(_child, target, "a new file", Repositories.Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_file_that_holds_the_parent(bool differential)
    {
        using var directory = new ScratchDirectory();
        await File.WriteAllBytesAsync(directory.File("old.img"), _parent, Repositories.Token);
        await using FileVolume target = FileVolume.OpenWrite(directory.File("old.img"));
        RestoreResult result = await _repository.RestoreAsync(_backup.Id, target, new RestoreOptions { Differential = differential }, cancellationToken: Repositories.Token);
        await VolumeAssert.HoldsAsync(_child, target, "a file that holds the parent", Repositories.Token);
        Assert.Equal(65_536 + 5_000, result.BytesZeroed);
        Assert.Equal(differential ? 0 : 2 * 65_536, result.BytesWritten);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_loop_device_that_holds_the_parent(bool differential)
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(4 * 65_536);
        await using FileVolume target = FileVolume.OpenWrite(device.Path);
        await target.WriteAsync(_parent, 0, Repositories.Token);
        await _repository.RestoreAsync(_backup.Id, target, new RestoreOptions { Differential = differential }, cancellationToken: Repositories.Token);
        byte[] restored = new byte[Size];
        await target.ReadAsync(restored, 0, Repositories.Token);
        VolumeAssert.Same(_child, restored, "a loop device");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_memory_that_holds_the_parent(bool differential)
    {
        var target = new MemoryVolume(_parent);
        await _repository.RestoreAsync(_backup.Id, target, new RestoreOptions { Differential = differential }, cancellationToken: Repositories.Token);
        VolumeAssert.Same(_child, target.ToArray(), "memory that holds the parent");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task In_a_range_of_a_volume_that_holds_the_parent(bool differential)
    {
        var target = new MemoryVolume(_parent);
        var range = new VolumeExtent(70_000, 50_001);
        await _repository.RestoreAsync(_backup.Id, target, new RestoreOptions { Differential = differential, Range = range }, cancellationToken: Repositories.Token);
        byte[] expected = [.. _parent];
        expected.AsSpan(70_000, 50_001).Clear();
        VolumeAssert.Same(expected, target.ToArray(), "a range");
    }

    [Fact]
    public async Task In_a_stream()
    {
        await using Stream stream = await _repository.OpenReadAsync(_backup.Id, cancellationToken: Repositories.Token);
        byte[] read = new byte[Size];
        await stream.ReadExactlyAsync(read, Repositories.Token);
        VolumeAssert.Same(_child, read, "a stream");
    }

    [Fact]
    public async Task When_the_child_punched_a_hole_instead_of_writing_zeros()
    {
        var model = new VolumeModel(Size);
        model.Write(_child, 0);
        model.Punch(0, Size);
        Backup hole = await _repository.IncrementalAsync(model.ToVolume());

        // Read where the parent has data, because a hole may be reported wrongly; nowhere else.
        Assert.Equal(2 * 65_536, hole.BytesRead);
        byte[] restored = await _repository.RestoreOverAsync(hole);
        VolumeAssert.Same(new byte[Size], restored, "a volume that became one hole");
    }

    [Fact]
    public async Task When_changed_extents_say_so()
    {
        byte[] next = [.. _child];
        next.AsSpan(0, 65_536).Clear();
        Backup parent = await _repository.FindAsync("latest", cancellationToken: Repositories.Token);
        Backup backup = await _repository.BackupAsync(
            new MemoryVolume(next),
            new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = parent.Id, ChangedExtents = [new VolumeExtent(0, 65_536)] },
            cancellationToken: Repositories.Token);
        VolumeAssert.Same(next, await _repository.RestoreOverAsync(backup), "zeros by changed extents");
    }
}
