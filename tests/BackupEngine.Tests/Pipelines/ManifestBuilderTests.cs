using BackupEngine.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Pipelines;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Pipelines;

public sealed class ManifestBuilderTests
{
    /// <summary>A buffer that does not come back is memory that a service has lost until it ends.</summary>
    [Fact]
    public async Task A_pack_that_waits_for_its_turn_when_the_backup_is_aborted_gives_its_buffer_back()
    {
        await using var store = new InMemoryObjectStore();
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(Repositories.Token);
        using var buffers = new BufferPool(1 << 20, capacity: 1);
        var geometry = new VolumeGeometry(1 << 20, 65_536);
        Manifest own = ManifestBuilder.Begin(null, [], Guid.NewGuid(), Repositories.VolumeId, geometry, new ChunkHasher(ChunkHash.XxHash128, 1));
        var uploader = new PackUploader(store, buffers, Repositories.VolumeId, own.BackupId, own.Ordinal, new ProgressMeter(null, geometry.SizeBytes), abort);
        using var manifest = new ManifestBuilder(null, own, uploader, new Dictionary<PackId, long>());
        using var compressor = new ChunkCompressor(ChunkCompression.None);
        PackWriter pack = await uploader.OpenAsync(abort.Token);
        Assert.True(pack.TryAppendChunk(compressor, 0, Repositories.Noise(65_536), out FrameLocation location));
        var page = new Page();
        page[0] = new MapEntry(location, own.Hasher.Hash(Repositories.Noise(65_536)));

        // Has the turn, and waits for a buffer for pages.
        Task setting = manifest.SetPageAsync(0, page, [], [], abort.Token).AsTask();
        Task submitting = manifest.SubmitAsync(pack).AsTask();
        Assert.False(setting.IsCompleted || submitting.IsCompleted);
        await abort.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => setting);
        await submitting;
        await uploader.WaitAsync();
        ValueTask<NativeBuffer> rented = buffers.RentAsync(Repositories.Token);
        Assert.True(rented.IsCompletedSuccessfully, "the buffer is still out");
        buffers.Return(await rented);
    }
}
