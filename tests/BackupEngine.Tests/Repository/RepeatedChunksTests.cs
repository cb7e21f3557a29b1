using BackupEngine.Catalog;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>A chunk that is in several places of a volume, or moves, is stored once, and whatever becomes of those places, the others keep it.</summary>
public sealed class RepeatedChunksTests : IAsyncDisposable
{
    private const int Chunk = 65_536;
    private const int Half = 160 * Chunk;
    private readonly InMemoryObjectStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [LongRunning]
    [Theory]
    [InlineData(ChunkHash.XxHash128, 1)]
    [InlineData(ChunkHash.XxHash128, 8)]
    [InlineData(ChunkHash.Sha256, 2)]
    [InlineData(ChunkHash.Blake3, 1)]
    [InlineData(ChunkHash.Blake3, 8)]
    [InlineData(ChunkHash.Blake3Bits256, 2)]
    public async Task What_is_twice_in_a_volume_is_stored_once(ChunkHash hash, int workers)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] half = Repositories.Noise(Half);
        byte[] content = [.. half, .. half, 1, 2, 3];
        Backup full = await repository.FullAsync(new MemoryVolume(content), Options() with { Hash = hash, Workers = workers });

        // Workers that come to the same chunk at the same moment both store it: here, at most the 64 chunks of the second page.
        Assert.InRange(full.BytesStored, Half, Half + (workers == 1 ? 0 : 64 * Chunk) + 100_000);
        Assert.Equal(content.Length, full.BytesChanged);
        await CheckAsync(repository, full, content);
    }

    [LongRunning]
    [Fact]
    public async Task What_moves_in_a_volume_is_not_stored_again_and_outlives_where_it_was()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = [.. Repositories.Noise(Half), .. new byte[Half]];
        Backup full = await repository.FullAsync(new MemoryVolume(content), Options());
        content.AsSpan(0, Half).CopyTo(content.AsSpan(Half));
        content.AsSpan(0, Half).Clear();

        // Of several workers, one may look for a chunk before another has read the page of the parent that has it.
        Backup moved = await repository.FullAsync(new MemoryVolume(content), Options() with { Incremental = true, Workers = 1 });
        Assert.InRange(moved.BytesStored, 1, 20_000);
        Assert.Equal(2 * Half, moved.BytesChanged);
        await CheckAsync(repository, moved, content);

        // Only this one needs the packs now; and its own descendants, some.
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Null((await repository.ListAsync(cancellationToken: Repositories.Token)).FirstOrDefault(backup => backup.Id == full.Id));
        await CheckAsync(repository, moved, content);
        content.AsSpan(Half + (3 * Chunk)).Clear();
        Backup cleared = await repository.IncrementalAsync(new MemoryVolume(content));
        await CheckAsync(repository, cleared, content);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = 90 }, Repositories.Token);
        await CheckAsync(repository, cleared, content);
        Assert.InRange(await CountBytesAsync(), 3 * Chunk, 3 * Chunk + 20_000);
    }

    [LongRunning]
    [Fact]
    public async Task Places_that_share_a_frame_go_one_by_one()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] pattern = Repositories.Noise(3 * Chunk);
        byte[] content = new byte[300 * Chunk];
        for (int chunk = 0; chunk < 300; chunk++)
            pattern.AsSpan(random.Next(3) * Chunk, Chunk).CopyTo(content.AsSpan(chunk * Chunk));
        Backup backup = await repository.FullAsync(new MemoryVolume(content), Options());
        for (int step = 0; step < 12; step++)
        {
            for (int changes = 0; changes < 40; changes++)
            {
                Span<byte> place = content.AsSpan(random.Next(300) * Chunk, Chunk);
                if (random.Next(3) == 0)
                    place.Clear();
                else if (random.Next(2) == 0)
                    random.NextBytes(place[..100]);
                else
                    pattern.AsSpan(random.Next(3) * Chunk, Chunk).CopyTo(place);
            }

            backup = await repository.IncrementalAsync(new MemoryVolume(content));
            await CheckAsync(repository, backup, content, $"seed {seed}, step {step}");
            if (random.Next(3) == 0)
                await repository.PruneAsync(new PruneOptions { KeepLast = 2, RepackBelowPercent = random.Next(2) == 0 ? 60 : null }, Repositories.Token);
            Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
        }
    }

    /// <summary>With a caller's word for what changed, only that is read; what it repeats of itself is still found.</summary>
    [Fact]
    public async Task Changed_extents_that_repeat_are_stored_once()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(2 * Half);
        Backup full = await repository.FullAsync(new MemoryVolume(content), Options());
        byte[] fresh = Repositories.Noise(20 * Chunk, seed: 8);
        fresh.CopyTo(content.AsSpan(10 * Chunk));
        fresh.CopyTo(content.AsSpan(200 * Chunk));
        Backup backup = await repository.BackupAsync(
            new MemoryVolume(content), Options() with { ParentId = full.Id, Workers = 1, ChangedExtents = [new VolumeExtent(10 * Chunk, fresh.Length), new VolumeExtent(200 * Chunk, fresh.Length)] }, cancellationToken: Repositories.Token);
        Assert.InRange(backup.BytesStored, fresh.Length, fresh.Length + 30_000);
        await CheckAsync(repository, backup, content);
    }

    /// <summary>Each of many workers opens a pack for the same chunk, and only one of them needs it.</summary>
    [LongRunning]
    [Fact]
    public async Task Packs_that_nothing_was_put_into_are_not_stored()
    {
        for (int round = 0; round < 10; round++)
        {
            await using var store = new InMemoryObjectStore();
            BackupRepository repository = await Repositories.OpenAsync(store);
            byte[] content = new byte[20 * 256 * 4096];
            Array.Fill(content, (byte)1);
            Backup full = await repository.FullAsync(new MemoryVolume(content), Options() with { ChunkSize = 4096, Workers = 16 });
            string[] packs = [.. (await store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.PacksOf(Repositories.VolumeId), StringComparison.Ordinal))];
            Assert.Equal(packs.Length + 1, full.ObjectCount);
            foreach (string pack in packs)
                Assert.True((await store.GetAllAsync(pack, 1 << 30, Repositories.Token)).Length > 120, $"{pack} is empty");
            await CheckAsync(repository, full, content);
        }
    }

    private static BackupOptions Options() => new() { VolumeId = Repositories.VolumeId };

    private static async Task CheckAsync(BackupRepository repository, Backup backup, byte[] content, string what = "")
    {
        // Deep: among other things, the pack table is counted over.
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.True(report.Findings.Count == 0, $"{what}: {string.Join("; ", report.Findings)}");
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), what);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup, differential: true), $"{what}, differential");
    }

    private async Task<long> CountBytesAsync()
    {
        long bytes = 0;
        foreach (string key in (await _store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.PacksOf(Repositories.VolumeId), StringComparison.Ordinal)))
            bytes += (await _store.GetAllAsync(key, 1 << 30, Repositories.Token)).Length;
        return bytes;
    }
}
