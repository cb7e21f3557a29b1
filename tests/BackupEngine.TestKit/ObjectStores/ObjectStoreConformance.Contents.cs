using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

public abstract partial class ObjectStoreConformance
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_537)]
    [InlineData(41_943_041)]
    public async Task What_was_put_is_got(int length)
    {
        byte[] content = Bytes(length);
        await Store.PutAsync("volumes/v/packs/p/1", content, cancellationToken: Cancellation);

        byte[] read = new byte[length + 10];
        Assert.Equal(length, await Store.GetAsync("volumes/v/packs/p/1", 0, read, Cancellation));
        Assert.True(content.AsSpan().SequenceEqual(read.AsSpan(0, length)));
        Assert.All(read[length..], b => Assert.Equal(0, b));
        Assert.Equal(length, (await Store.HeadAsync("volumes/v/packs/p/1", Cancellation))!.Value.SizeBytes);
        Assert.Equal(content, await Store.GetAllAsync("volumes/v/packs/p/1", length, Cancellation));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0, 1000, 1000)]
    [InlineData(0, 1001, 1000)]
    [InlineData(999, 1, 1)]
    [InlineData(999, 2, 1)]
    [InlineData(500, 100, 100)]
    [InlineData(1000, 0, 0)]
    [InlineData(1000, 10, 0)]
    [InlineData(1001, 10, 0)]
    [InlineData(5_000_000_000, 10, 0)]
    [InlineData(long.MaxValue - 100, 10, 0)]
    public async Task A_range_ends_where_the_object_ends(long offset, int wanted, int expected)
    {
        byte[] content = Bytes(1000);
        await Store.PutAsync("object", content, cancellationToken: Cancellation);

        byte[] read = new byte[wanted];
        Assert.Equal(expected, await Store.GetAsync("object", offset, read, Cancellation));
        Assert.True(content.AsSpan((int)Math.Min(offset, 1000), expected).SequenceEqual(read.AsSpan(0, expected)));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(7, 10)]
    [InlineData(0, 0)]
    public async Task Any_range_of_an_empty_object_is_empty(long offset, int wanted)
    {
        await Store.PutAsync("empty", default, cancellationToken: Cancellation);
        Assert.Equal(0, await Store.GetAsync("empty", offset, new byte[wanted], Cancellation));
    }

    [Fact]
    public async Task Many_ranges_of_one_object_are_read_at_once()
    {
        byte[] content = Bytes(1_000_003);
        await Store.PutAsync("pack", content, cancellationToken: Cancellation);
        await Parallel.ForAsync(0, 100, Cancellation, async (i, token) =>
        {
            byte[] read = new byte[10_000];
            await Store.GetExactlyAsync("pack", i * 9_901, read, token);
            Assert.True(content.AsSpan(i * 9_901, read.Length).SequenceEqual(read));
        });
    }

    [Fact]
    public async Task Memory_is_used_exactly_where_it_begins_and_ends()
    {
        byte[] around = Bytes(4099);
        await Store.PutAsync("slice", around.AsMemory(13, 4001), cancellationToken: Cancellation);

        byte[] read = Bytes(5000, seed: 2);
        byte[] expected = [.. read];
        around.AsSpan(13 + 3, 777).CopyTo(expected.AsSpan(1001));
        Assert.Equal(777, await Store.GetAsync("slice", 3, read.AsMemory(1001, 777), Cancellation));
        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task Memory_need_not_be_an_array()
    {
        using NativeMemory native = new(100_001);
        Bytes(100_001).CopyTo(native.GetSpan());
        await Store.PutAsync("native", native.Memory[1..], cancellationToken: Cancellation);

        using NativeMemory read = new(100_001);
        Assert.Equal(99_990, await Store.GetAsync("native", 10, read.Memory[3..], Cancellation));
        Assert.True(read.GetSpan().Slice(3, 99_990).SequenceEqual(native.GetSpan()[11..]));
    }

    [Fact]
    public async Task A_range_that_must_be_whole_says_where_the_object_ends_early()
    {
        await Store.PutAsync("short", Bytes(10), cancellationToken: Cancellation);
        CorruptionException e = await Assert.ThrowsAsync<CorruptionException>(
            async () => await Store.GetExactlyAsync("short", 4, new byte[7], Cancellation));
        Assert.Equal("short", e.Key);
        Assert.Equal(4, e.Offset);
        Assert.Contains("ends early", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, 9)]
    [InlineData(1, 0)]
    [InlineData(65_536, 65_535)]
    [InlineData(700_000, 699_999)]
    public async Task An_object_longer_than_it_may_be_is_refused(int length, int maxBytes)
    {
        await Store.PutAsync("long", Bytes(length), cancellationToken: Cancellation);
        CorruptionException e = await Assert.ThrowsAsync<CorruptionException>(
            async () => await Store.GetAllAsync("long", maxBytes, Cancellation));
        Assert.Equal("long", e.Key);
    }

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(524_288)]
    public async Task Whole_objects_are_read_at_the_borders_of_the_guesses(int length)
    {
        byte[] content = Bytes(length);
        await Store.PutAsync("whole", content, cancellationToken: Cancellation);
        Assert.Equal(content, await Store.GetAllAsync("whole", 10_000_000, Cancellation));
    }

    [Fact]
    public async Task A_negative_offset_is_refused() => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
        async () => await Store.GetAsync("object", -1, new byte[1], Cancellation));
}
