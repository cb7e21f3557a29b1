using System.Buffers.Binary;
using BackupEngine.Catalog;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Hashing;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Content that was constructed to deceive XXH3-128, whose seed is known. The default hash must tell it apart wherever hashes are compared.</summary>
public sealed class CollidingContentTests : IAsyncDisposable
{
    private const int Chunk = 65_536;
    private readonly InMemoryObjectStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData(null, true)]
    [InlineData(ChunkHash.Sha256, true)]
    [InlineData(ChunkHash.XxHash128, false)]
    public async Task Incremental_ChunkReplacedByOneOfTheSameXxh128_IsNoticedUnlessTheHashIsXxh128(ChunkHash? hash, bool isNoticed)
    {
        (BackupRepository repository, Backup full, byte[] first, byte[] second) = await BeginAsync(hash, chunksBefore: 1);
        Backup one = await BackupAsync(repository, [.. new byte[Chunk], .. first], full);
        byte[] content = [.. new byte[Chunk], .. second];
        Backup two = await BackupAsync(repository, content, one);
        byte[] restored = await repository.RestoreOverAsync(two);
        Assert.Equal(isNoticed, content.AsSpan().SequenceEqual(restored));
        Assert.Equal(isNoticed ? Chunk : 0, two.BytesChanged);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(ChunkHash.Sha256, true)]
    [InlineData(ChunkHash.XxHash128, false)]
    public async Task Backup_TwoChunksOfTheSameXxh128_AreBothStoredUnlessTheHashIsXxh128(ChunkHash? hash, bool areBothStored)
    {
        (BackupRepository repository, Backup full, byte[] first, byte[] second) = await BeginAsync(hash, chunksBefore: 2);
        byte[] content = [.. first, .. second, .. Repositories.Noise(Chunk, 3)];
        Backup backup = await BackupAsync(repository, content, full);
        byte[] restored = await repository.RestoreOverAsync(backup);
        Assert.Equal(areBothStored, content.AsSpan().SequenceEqual(restored));
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(ChunkHash.XxHash128, false)]
    public async Task DifferentialRestore_TargetHasAChunkOfTheSameXxh128_IsWrittenUnlessTheHashIsXxh128(ChunkHash? hash, bool isWritten)
    {
        (BackupRepository repository, Backup full, byte[] first, byte[] second) = await BeginAsync(hash, chunksBefore: 1);
        Backup backup = await BackupAsync(repository, first, full);
        var target = new MemoryVolume(second);
        await repository.RestoreAsync(backup.Id, target, new RestoreOptions { Differential = true }, cancellationToken: Repositories.Token);
        Assert.Equal(isWritten, first.AsSpan().SequenceEqual(target.ToArray()));
    }

    /// <summary>Begins a chain, and constructs two chunks for the seed that its manifest holds.</summary>
    private async Task<(BackupRepository Repository, Backup Full, byte[] First, byte[] Second)> BeginAsync(ChunkHash? hash, int chunksBefore)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(chunksBefore * Chunk, 2)), new BackupOptions { VolumeId = Repositories.VolumeId, Hash = hash, Workers = 1 });
        byte[] manifest = await _store.GetAllAsync(full.ManifestKey!, 1 << 20, Repositories.Token);
        ulong seed = BinaryPrimitives.ReadUInt64LittleEndian(manifest.AsSpan(64));
        (byte[] first, byte[] second) = CollidingChunks.Create(Repositories.Noise(Chunk), seed);
        return (repository, full, first, second);
    }

    private static Task<Backup> BackupAsync(BackupRepository repository, byte[] content, Backup parent) => repository.FullAsync(
        new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = parent.Id, Workers = 1 });
}
