using BackupEngine.Catalog;
using BackupEngine.Compression;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>What backups cost: bytes read, bytes stored, requests.</summary>
public sealed class StoredSizeTests : IAsyncDisposable
{
    private readonly InMemoryObjectStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task An_incremental_without_changes_stores_a_manifest_and_nothing_else()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(5_000_000);
        await repository.FullAsync(new MemoryVolume(content));
        Backup same = await repository.IncrementalAsync(new MemoryVolume(content));
        Assert.Equal((0, 1), (same.BytesChanged, same.ObjectCount));
        Assert.InRange(same.BytesStored, 1, 500);
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_stores_what_changed_and_only_the_pages_that_changed()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(100 << 20);
        Backup full = await repository.FullAsync(new MemoryVolume(content));
        for (int chunk = 0; chunk < 40; chunk++)
            content[(3 << 20) + (chunk * 65_536)]++;
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(content));
        Assert.Equal(40 * 65_536, incremental.BytesChanged);
        Assert.InRange(incremental.BytesStored, incremental.BytesChanged, incremental.BytesChanged * 1.01);

        Manifest manifest = await _store.ReadManifestAsync(incremental, Repositories.Token);
        Assert.Equal(7, manifest.Pages.MappedPages().Count());
        Assert.Equal([0L], manifest.Pages.MappedPages().Where(page => manifest.Pages[page].Location.BackupOrdinal == 1));
        Manifest parent = await _store.ReadManifestAsync(full, Repositories.Token);
        Assert.All(manifest.Pages.MappedPages().Skip(1), page => Assert.Equal(parent.Pages[page], manifest.Pages[page]));
    }

    /// <summary>Once would be little, because repeated chunks are stored once; but zeros must not be stored, mapped or fetched at all.</summary>
    [Fact]
    public async Task Zeros_that_are_no_holes_are_read_and_neither_stored_nor_mapped()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        var volume = new MemoryVolume(new byte[20_000_001], allocated: [.. Enumerable.Repeat(true, 20)], blockSize: 1 << 20);
        Backup full = await repository.FullAsync(volume);
        Assert.Equal((20_000_001, 0, 1), (volume.BytesRead, full.BytesChanged, full.ObjectCount));
        Assert.Empty((await _store.ReadManifestAsync(full, Repositories.Token)).Pages.MappedPages());
    }

    [LongRunning]
    [Fact]
    public async Task Changed_extents_are_all_that_is_read()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(100 << 20);
        Backup full = await repository.FullAsync(new MemoryVolume(content));
        content[50_000_000]++;
        var volume = new MemoryVolume(content);
        Backup backup = await repository.BackupAsync(
            volume, new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = full.Id, ChangedExtents = [new VolumeExtent(50_000_000, 1), new VolumeExtent(0, 10)] }, cancellationToken: Repositories.Token);
        Assert.Equal((2 * 65_536, 65_536), (volume.BytesRead, backup.BytesChanged));
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), "by changed extents");
    }

    /// <summary>Pages past the parent's last one were handed out again and again: "none" was the parent's page count, less than the child's.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_volume_that_grew_by_many_pages_is_walked_once(bool changedExtents)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(10_000_000);
        Backup full = await repository.FullAsync(new MemoryVolume(content.AsSpan(0, 1_500_000)), new BackupOptions { VolumeId = Repositories.VolumeId, ChunkSize = 4096 });
        Backup grown = await repository.BackupAsync(
            new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = full.Id, ChangedExtents = changedExtents ? [] : null }, cancellationToken: Repositories.Token);
        Assert.InRange(grown.BytesChanged, 8_500_000, 8_500_000 + 8192);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(grown), "the grown volume");
    }

    [Fact]
    public async Task Sixteen_tebibytes_of_holes_cost_what_their_data_costs()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await using var sparse = new SparseVolume(16L << 40);
        byte[] data = Repositories.Noise(4 << 20);
        long[] places = [0, (1L << 30) + 123, (5L << 40) + 7, (16L << 40) - (1 << 20)];
        for (int part = 0; part < places.Length; part++)
            await sparse.WriteAsync(data.AsMemory(part << 20, 1 << 20), places[part], Repositories.Token);

        Backup full = await repository.FullAsync(sparse);
        Assert.InRange(full.BytesStored, 4 << 20, (4 << 20) + (300 << 10));
        byte[] manifest = await _store.GetAllAsync(full.ManifestKey!, 1 << 30, Repositories.Token);
        Assert.InRange(manifest.Length, 1, 1000);

        await using var target = new SparseVolume(16L << 40);
        await repository.RestoreAsync(full.Id, target, cancellationToken: Repositories.Token);
        Assert.Equal(sparse.AllocatedBlocks, target.AllocatedBlocks);
        byte[] restored = new byte[1 << 20];
        for (int part = 0; part < places.Length; part++)
        {
            await target.ReadAsync(restored, places[part], Repositories.Token);
            VolumeAssert.Same(data.AsSpan(part << 20, 1 << 20).ToArray(), restored, $"the data at {places[part]}");
        }

        Backup unchanged = await repository.IncrementalAsync(sparse);
        Assert.Equal(0, unchanged.BytesChanged);
    }

    [LongRunning]
    [Fact]
    public async Task A_full_backup_makes_few_requests()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(200 << 20)), new BackupOptions { VolumeId = Repositories.VolumeId, Compression = ChunkCompression.None, Workers = 2 });
        long allowed = (full.BytesStored / (24 << 20)) + 10;
        (long put, long get, long head, long list, long delete) = repository.Requests;
        Assert.InRange(put + get + head + list + delete, 1, allowed + 7);
    }

    [Fact]
    public async Task A_long_chain_takes_its_pages_from_few_backups()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        // 100 pages of one small chunk each: every backup changes another one.
        await using var volume = new SparseVolume(100L << 24);
        for (int page = 0; page < 100; page++)
            await volume.WriteAsync(new byte[] { 1, 2, 3 }, (long)page << 24, Repositories.Token);
        Backup backup = await repository.FullAsync(volume);
        for (int step = 0; step < 80; step++)
        {
            await volume.WriteAsync(BitConverter.GetBytes(step), ((long)step << 24) + 10, Repositories.Token);
            backup = await repository.IncrementalAsync(volume);
        }

        Manifest manifest = await _store.ReadManifestAsync(backup, Repositories.Token);
        Assert.Equal(81, manifest.Backups.Count);
        Assert.InRange(manifest.Pages.MappedPages().Select(page => manifest.Pages[page].Location.BackupOrdinal).Distinct().Count(), 1, 33);
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Empty(report.Findings);

        await using var target = new SparseVolume(volume.SizeBytes);
        await repository.RestoreAsync(backup.Id, target, cancellationToken: Repositories.Token);
        byte[] expected = new byte[65_536];
        byte[] restored = new byte[65_536];
        for (int page = 0; page < 100; page++)
        {
            await volume.ReadAsync(expected, (long)page << 24, Repositories.Token);
            await target.ReadAsync(restored, (long)page << 24, Repositories.Token);
            VolumeAssert.Same(expected, restored, $"page {page}");
        }
    }
}
