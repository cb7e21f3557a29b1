using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>Writing data and zeros, alone, at once, and at random.</summary>
public abstract partial class VolumeConformance
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 4096)]
    [InlineData(4095, 2)]
    [InlineData(4097, 12_345)]
    [InlineData(65_536, 65_536)]
    [InlineData(199_900, 100)]
    public async Task Written_bytes_are_read_back_and_neighbours_stay(int offset, int length)
    {
        byte[] content = Noise(200_000);
        await using IWritableVolume volume = await OpenAsync(content);
        byte[] source = Noise(length, seed: 8)[..length];
        await volume.WriteAsync(source, offset, Cancellation);
        source.CopyTo(content, offset);
        await VolumeAssert.HoldsAsync(content, volume, $"{length} bytes at {offset}", Cancellation);
    }

    [Fact]
    public async Task Bytes_written_into_a_hole_are_found()
    {
        byte[] content = new byte[Round(2 << 20)];
        await using IWritableVolume volume = await OpenAsync(content);
        byte[] source = Noise(10);
        await volume.WriteAsync(source, 1_234_567, Cancellation);
        source.CopyTo(content, 1_234_567);
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }

    private static List<(int Offset, int Length)> ZeroRanges
    {
        get
        {
            var ranges = new List<(int Offset, int Length)> { (100, 0), (5000, 10), (70_000, 3000) };
            // Every combination of edges on, just before and just after sectors, pages and chunks; and ranges inside of one.
            int[] edges = [0, 1, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 65_537, 131_072, 199_999];
            foreach (int start in edges)
            {
                foreach (int end in edges)
                {
                    if (end > start)
                        ranges.Add((start, end - start));
                }
            }
            return ranges;
        }
    }

    [Fact]
    public async Task Zeros_over_data_of_any_alignment_leave_the_neighbours()
    {
        byte[] content = Noise(200_704);
        await using IWritableVolume volume = await OpenAsync(content);
        foreach ((int offset, int length) in ZeroRanges)
        {
            await volume.WriteZerosAsync(offset, length, Cancellation);
            byte[] expected = [.. content];
            expected.AsSpan(offset, length).Clear();
            await VolumeAssert.HoldsAsync(expected, volume, $"{length} zeros at {offset}", Cancellation);
            await volume.WriteAsync(content, 0, Cancellation);
        }
    }

    [Fact]
    public async Task Zeros_over_holes_and_data_at_once_are_zeros()
    {
        byte[] content = new byte[Round(1 << 20)];
        Noise(100_000).AsSpan(0, 100_000).CopyTo(content.AsSpan(300_000));
        await using IWritableVolume volume = await OpenAsync(content);
        await volume.WriteZerosAsync(1000, 10, Cancellation);
        await volume.WriteZerosAsync(250_001, 100_000, Cancellation);
        await volume.WriteZerosAsync(399_000, 200_000, Cancellation);
        content.AsSpan(250_001, 100_000).Clear();
        content.AsSpan(399_000, 200_000).Clear();
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(10_001)]
    [InlineData(3_000_000)]
    public async Task Zeros_over_the_whole_volume_make_it_zero_and_keep_its_size(int size)
    {
        byte[] content = Noise(size);
        await using IWritableVolume volume = await OpenAsync(content);
        await volume.WriteZerosAsync(0, volume.SizeBytes, Cancellation);
        await volume.FlushAsync(Cancellation);
        Assert.Equal(content.Length, volume.SizeBytes);
        await VolumeAssert.HoldsAsync(new byte[content.Length], volume, "whole", Cancellation);
    }

    [Fact]
    public async Task A_volume_with_data_is_not_said_to_be_zeroed()
    {
        await using IWritableVolume volume = await OpenAsync(Noise(512));
        Assert.False(volume.IsZeroed);
    }

    [Fact]
    public async Task Flushing_twice_and_with_nothing_written_is_allowed()
    {
        byte[] content = Noise(5000);
        await using IWritableVolume volume = await OpenAsync(content);
        await volume.FlushAsync(Cancellation);
        await volume.WriteAsync(new byte[] { 1 }, 0, Cancellation);
        await volume.FlushAsync(Cancellation);
        await volume.FlushAsync(Cancellation);
        content[0] = 1;
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }

    [Fact]
    public async Task Readers_and_writers_of_disjoint_ranges_do_not_disturb_each_other()
    {
        // Slices end in the middle of sectors and pages, so that neighbours share them.
        const int Workers = 8;
        const int Slice = 40_001;
        byte[] content = Noise(Workers * Slice);
        await using IWritableVolume volume = await OpenAsync(content);
        await Parallel.ForAsync(0, Workers, Cancellation, async (worker, cancellation) =>
        {
            var random = new Random(worker);
            Memory<byte> mine = content.AsMemory(worker * Slice, Slice);
            var read = new byte[Slice];
            for (int round = 0; round < 40; round++)
            {
                int offset = random.Next(Slice);
                int length = random.Next(1, Slice - offset + 1);
                Memory<byte> part = mine.Slice(offset, length);
                if (random.Next(2) == 0)
                {
                    random.NextBytes(part.Span);
                    await volume.WriteAsync(part, worker * Slice + offset, cancellation);
                }
                else
                {
                    part.Span.Clear();
                    await volume.WriteZerosAsync(worker * Slice + offset, length, cancellation);
                }
                await volume.ReadAsync(read, worker * Slice, cancellation);
                VolumeAssert.Same(mine, read, $"worker {worker}, round {round}");
            }
        });
        await VolumeAssert.HoldsAsync(content, volume, "whole", Cancellation);
    }

    [Fact]
    public async Task Behaves_like_an_array_whatever_is_done_to_it()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int run = 0; run < 4; run++)
        {
            byte[] content = new byte[Round(random.Next(1, 400_000))];
            if (random.Next(2) == 0)
                random.NextBytes(content);
            await using IWritableVolume volume = await OpenAsync(content);
            for (int step = 0; step < 60; step++)
            {
                int offset = random.Next(content.Length);
                int length = random.Next(content.Length - offset + 1) >> random.Next(12);
                string what = $"seed {seed} ({TestSeed.Variable}), run {run}, step {step}, {length} bytes at {offset}";
                switch (random.Next(4))
                {
                    case 0:
                        random.NextBytes(content.AsSpan(offset, length));
                        await volume.WriteAsync(content.AsMemory(offset, length), offset, Cancellation);
                        break;
                    case 1:
                        content.AsSpan(offset, length).Clear();
                        await volume.WriteZerosAsync(offset, length, Cancellation);
                        break;
                    case 2:
                        var read = new byte[length];
                        await volume.ReadAsync(read, offset, Cancellation);
                        VolumeAssert.Same(content.AsMemory(offset, length), read, what);
                        break;
                    default:
                        await VolumeAssert.HoldsAsync(content, volume, what, Cancellation);
                        break;
                }
            }
            await VolumeAssert.HoldsAsync(content, volume, $"seed {seed} ({TestSeed.Variable}), run {run}, whole", Cancellation);
        }
    }
}
