using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Volumes;

public sealed class SparseVolumeConformanceTests : ByteSizedVolumeConformance
{
    [Fact]
    public async Task Sixty_four_tebibytes_take_the_memory_of_what_was_written()
    {
        const long Size = 64L << 40;
        await using var volume = new SparseVolume(Size);
        await volume.WriteAsync(new byte[] { 1 }, Size - 1, Cancellation);
        await volume.WriteAsync(new byte[] { 1, 2 }, (1L << 40) - 1, Cancellation);
        Assert.Equal(3, volume.AllocatedBlocks);
        List<VolumeExtent> extents = await volume.FindAllAllocatedAsync(Cancellation);
        Assert.Equal(
            [new((1L << 40) - SparseVolume.BlockSize, 2 * SparseVolume.BlockSize), new(Size - SparseVolume.BlockSize, SparseVolume.BlockSize)],
            extents);
        await volume.WriteZerosAsync(0, Size, Cancellation);
        Assert.Equal(0, volume.AllocatedBlocks);
    }

    protected override async Task<IWritableVolume> OpenAsync(byte[] content)
    {
        var volume = new SparseVolume(content.Length);
        if (content.AsSpan().ContainsAnyExcept((byte)0))
            await volume.WriteAsync(content, 0, Cancellation);
        return volume;
    }
}
