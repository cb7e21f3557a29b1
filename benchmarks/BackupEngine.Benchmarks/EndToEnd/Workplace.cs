using BackupEngine.Benchmarks.Data;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>The volume before and after a change, and empty stores to back it up to.</summary>
internal sealed class Workplace : IAsyncDisposable
{
    public const string VolumeId = "benchmark";
    private const double ChangedShare = 0.02;
    private readonly ScratchDirectory _scratch;
    private int _storeCount;

    private Workplace(ScratchDirectory scratch) => _scratch = scratch;

    /// <summary>The volume.</summary>
    public required FileVolume Volume { get; init; }

    /// <summary>The volume with 2 % of its bytes written anew.</summary>
    public required FileVolume Changed { get; init; }

    /// <summary>Where they differ.</summary>
    public required IReadOnlyList<VolumeExtent> ChangedExtents { get; init; }

    public static BackupOptions FullOptions { get; } = new() { VolumeId = VolumeId };

    public static async Task<Workplace> CreateAsync()
    {
        var scratch = new ScratchDirectory();
        string path = scratch.PathOf("volume.img");
        string changedPath = scratch.PathOf("changed.img");
        await SyntheticImage.CreateAsync(path, (long)Scale.VolumeMiB << 20);
        IReadOnlyList<VolumeExtent> edits = await SyntheticImage.CopyChangedAsync(path, changedPath, ChangedShare);
        return new Workplace(scratch)
        {
            Volume = FileVolume.OpenRead(path),
            Changed = FileVolume.OpenRead(changedPath),
            ChangedExtents = edits,
        };
    }

    public string PathOf(string name) => _scratch.PathOf(name);

    public IObjectStore CreateStore(StoreKind kind) =>
        kind == StoreKind.Memory ? new InMemoryObjectStore() : new DirectoryObjectStore(_scratch.PathOf($"store-{_storeCount++}"));

    /// <summary>Removes what a benchmark has stored; memory goes by itself.</summary>
    public static async Task ClearAsync(IObjectStore store)
    {
        var keys = new List<string>();
        await foreach (ObjectInfo info in store.ListAsync(""))
            keys.Add(info.Key);
        await store.DeleteAsync(keys);
        await store.DisposeAsync();
    }

    /// <summary>A repository with a full backup of <see cref="Volume"/>.</summary>
    public async Task<(BackupRepository Repository, Backup Full)> CreateRepositoryAsync(IObjectStore store)
    {
        BackupRepository repository = await BackupRepository.CreateAsync(store);
        return (repository, await repository.BackupAsync(Volume, FullOptions));
    }

    public async ValueTask DisposeAsync()
    {
        await Volume.DisposeAsync();
        await Changed.DisposeAsync();
        _scratch.Dispose();
    }
}
