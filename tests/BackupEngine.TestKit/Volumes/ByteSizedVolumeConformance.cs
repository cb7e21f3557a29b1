using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>What every <see cref="IWritableVolume"/> must do that can have any size in bytes, zero too.</summary>
public abstract class ByteSizedVolumeConformance : VolumeConformance
{
    [Fact]
    public async Task An_empty_volume_has_nothing_and_does_nothing()
    {
        await using IWritableVolume volume = await OpenAsync([]);
        Assert.Equal(0, volume.SizeBytes);
        Assert.Null(await volume.FindAllocatedAsync(0, Cancellation));
        await volume.ReadAsync(Memory<byte>.Empty, 0, Cancellation);
        await volume.WriteZerosAsync(0, 0, Cancellation);
        await volume.FlushAsync(Cancellation);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.WriteAsync(new byte[1], 0, Cancellation));
    }

    [Fact]
    public async Task A_volume_of_one_byte_holds_one_byte()
    {
        await using IWritableVolume volume = await OpenAsync([7]);
        Assert.Equal(1, volume.SizeBytes);
        Assert.Equal(new VolumeExtent(0, 1), await volume.FindAllocatedAsync(0, Cancellation));
        await volume.WriteAsync(new byte[] { 9 }, 0, Cancellation);
        Assert.Equal([9], await volume.ReadAllAsync(Cancellation));
        await volume.WriteZerosAsync(0, 1, Cancellation);
        Assert.Equal([0], await volume.ReadAllAsync(Cancellation));
    }

    [Theory]
    [InlineData(511)]
    [InlineData(4097)]
    [InlineData(65_537)]
    public async Task The_last_part_of_a_block_is_read_written_and_zeroed(int size)
    {
        byte[] content = Noise(size);
        await using IWritableVolume volume = await OpenAsync(content);
        await volume.WriteAsync(new byte[] { 1, 2 }, size - 2, Cancellation);
        await volume.WriteZerosAsync(size - 1, 1, Cancellation);
        content[^2] = 1;
        content[^1] = 0;
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }
}
