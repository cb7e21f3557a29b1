using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>What every <see cref="IWritableVolume"/> must do. Volumes of whole sectors only, such as devices, say so by <see cref="Round"/>.</summary>
public abstract partial class VolumeConformance
{
    /// <summary>A volume with that content, and with holes wherever whole blocks of it are zero, if it can have holes.</summary>
    protected abstract Task<IWritableVolume> OpenAsync(byte[] content);

    /// <summary>The next size that the volume can have.</summary>
    protected virtual int Round(int size) => size;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(511, 2)]
    [InlineData(4095, 4098)]
    [InlineData(12_345, 54_321)]
    [InlineData(65_536, 65_536)]
    public async Task Reads_the_bytes_at_any_offset(int offset, int length)
    {
        byte[] content = Noise(200_000);
        await using IWritableVolume volume = await OpenAsync(content);
        var read = new byte[length];
        await volume.ReadAsync(read, offset, Cancellation);
        VolumeAssert.Same(content.AsMemory(offset, length), read, $"{length} bytes at {offset}");
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4096)]
    [InlineData(65_535)]
    [InlineData(1_000_001)]
    public async Task Reads_the_whole_and_the_last_byte(int size)
    {
        byte[] content = Noise(size);
        await using IWritableVolume volume = await OpenAsync(content);
        Assert.Equal(content.Length, volume.SizeBytes);
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
        var last = new byte[1];
        await volume.ReadAsync(last, content.Length - 1, Cancellation);
        Assert.Equal(content[^1], last[0]);
    }

    [Fact]
    public async Task Reads_holes_as_zeros_even_into_dirty_memory()
    {
        byte[] content = new byte[Round(300_000)];
        content[150_000] = 1;
        await using IWritableVolume volume = await OpenAsync(content);
        byte[] read = Noise(300_000)[..content.Length];
        await volume.ReadAsync(read, 0, Cancellation);
        VolumeAssert.Same(content, read, "whole");
    }

    [Fact]
    public async Task Reading_nothing_is_allowed_everywhere_even_at_the_end()
    {
        await using IWritableVolume volume = await OpenAsync(Noise(5000));
        await volume.ReadAsync(Memory<byte>.Empty, 0, Cancellation);
        await volume.ReadAsync(Memory<byte>.Empty, volume.SizeBytes, Cancellation);
        await volume.WriteAsync(ReadOnlyMemory<byte>.Empty, volume.SizeBytes, Cancellation);
        await volume.WriteZerosAsync(volume.SizeBytes, 0, Cancellation);
    }

    [Fact]
    public async Task Refuses_ranges_that_are_not_inside()
    {
        byte[] content = Noise(10_000);
        await using IWritableVolume volume = await OpenAsync(content);
        long size = volume.SizeBytes;
        foreach ((long offset, int length) in new[] { (-1L, 1), (size, 1), (size - 1, 2), (size + 1, 0), (long.MaxValue, 1), (0, content.Length + 1) })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.ReadAsync(new byte[length], offset, Cancellation));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.WriteAsync(new byte[length], offset, Cancellation));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.WriteZerosAsync(offset, length, Cancellation));
        }
        foreach ((long offset, long length) in new[] { (0, -1L), (1, long.MaxValue), (0, long.MaxValue) })
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.WriteZerosAsync(offset, length, Cancellation));
        foreach (long offset in new[] { -1, size + 1, long.MaxValue })
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await volume.FindAllocatedAsync(offset, Cancellation));
        Assert.Equal(size, volume.SizeBytes);
        await VolumeAssert.HoldsAsync(content, volume, "after the refusals", Cancellation);
    }

    [Fact]
    public async Task Gives_up_when_cancelled()
    {
        byte[] content = Noise(10_000);
        await using IWritableVolume volume = await OpenAsync(content);
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.ReadAsync(new byte[1], 0, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.FindAllocatedAsync(0, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.WriteAsync(new byte[1], 0, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.WriteZerosAsync(0, volume.SizeBytes, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.FlushAsync(cancelled));
        await VolumeAssert.HoldsAsync(content, volume, "after the cancellations", Cancellation);
    }

    [Fact]
    public async Task Allocated_extents_hold_all_data_in_order_and_inside()
    {
        byte[] content = new byte[Round(3_000_001)];
        foreach (int at in new[] { 0, 70_000, 1_048_575, 1_048_576, 2_500_000, content.Length - 1 })
            content[at] = 0xAB;
        await using IWritableVolume volume = await OpenAsync(content);
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }

    [Fact]
    public async Task A_search_for_data_starts_where_it_is_told()
    {
        byte[] content = new byte[Round(1 << 20)];
        Noise(1000).CopyTo(content, 500_000);
        await using IWritableVolume volume = await OpenAsync(content);
        VolumeExtent inside = Assert.NotNull(await volume.FindAllocatedAsync(500_123, Cancellation));
        Assert.Equal(500_123, inside.Offset);
        Assert.Null(await volume.FindAllocatedAsync(volume.SizeBytes, Cancellation));
    }

    /// <summary>Bytes without a zero among them, as many as the next possible size.</summary>
    protected byte[] Noise(int size, int seed = 7)
    {
        var random = new Random(seed);
        var noise = new byte[Round(size)];
        for (int i = 0; i < noise.Length; i++)
            noise[i] = (byte)random.Next(1, 256);
        return noise;
    }
}
