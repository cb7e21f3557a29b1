using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>Volumes that report holes where they have data, as ZFS before 2.2.2 does.</summary>
public sealed class FalseHoleTests
{
    private readonly byte[] _content = Repositories.Noise(40_000_000);

    [Fact]
    public async Task Incremental_FalseHoleOverDataOfTheParent_IsRead()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        await repository.FullAsync(new MemoryVolume(_content));
        Backup incremental = await repository.IncrementalAsync(Lying());
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(incremental), "the incremental of a volume that reports holes over its data");
        Assert.Equal(0, incremental.BytesChanged);
    }

    [Fact]
    public async Task Incremental_FalseHoleWithinSuppliedExtents_IsRead()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        Backup full = await repository.FullAsync(new MemoryVolume(_content));
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = full.Id, ChangedExtents = [new VolumeExtent(5_000_000, 20_000_000)] };
        Backup incremental = await repository.BackupAsync(Lying(), options, cancellationToken: Repositories.Token);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(incremental), "the incremental of a volume that reports holes over its data");
    }

    [LongRunning]
    [Fact]
    public async Task Incremental_TrueHoleOverDataOfTheParent_BecomesZeros()
    {
        await using var store = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(store);
        await repository.FullAsync(new MemoryVolume(_content));
        byte[] punched = [.. _content];
        punched.AsSpan(4_194_304, 20_971_520).Clear();
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(punched));
        VolumeAssert.Same(punched, await repository.RestoreOverAsync(incremental), "the incremental after a hole was punched");
    }

    // Nothing but data around the bytes from 4 to 24 million, which are said to be a hole.
    private HookedVolume Lying() => new(new MemoryVolume(_content))
    {
        Find = offset => new(offset < 4_000_000 ? new VolumeExtent(offset, 4_000_000 - offset)
            : offset < _content.Length ? new VolumeExtent(Math.Max(offset, 24_000_000), _content.Length - Math.Max(offset, 24_000_000))
            : null),
    };
}
