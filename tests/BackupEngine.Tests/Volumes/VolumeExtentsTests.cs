using BackupEngine.TestKit;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Volumes;

public sealed class VolumeExtentsTests
{
    [Fact]
    public void Nothing_stays_nothing()
    {
        Assert.Empty(VolumeExtents.Normalize([], 0));
        Assert.Empty(VolumeExtents.Normalize([new(0, 0), new(100, 0), new(50, 0)], 100));
    }

    [Fact]
    public void Extents_are_sorted_and_joined_when_they_touch_or_overlap() =>
        Assert.Equal(
            [new(0, 10), new(20, 30), new(60, 40)],
            VolumeExtents.Normalize([new(60, 40), new(30, 20), new(5, 5), new(20, 15), new(0, 5), new(35, 1), new(70, 5)], 100));

    [Fact]
    public void One_inside_another_does_not_shorten_it() =>
        Assert.Equal([new VolumeExtent(0, 100)], VolumeExtents.Normalize([new(0, 100), new(10, 5), new(0, 1)], 100));

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(5, -1)]
    [InlineData(100, 1)]
    [InlineData(99, 2)]
    [InlineData(101, 0)]
    [InlineData(0, 101)]
    [InlineData(long.MaxValue, long.MaxValue)]
    [InlineData(50, long.MaxValue)]
    [InlineData(long.MinValue, long.MinValue)]
    public void One_that_is_not_inside_is_refused_and_named(long offset, long length)
    {
        var error = Assert.Throws<ArgumentException>(() => VolumeExtents.Normalize([new(0, 1), new(offset, length)], 100));
        Assert.Equal($"the extent of {length} bytes at offset {offset} is not inside the volume, which has 100 bytes", error.Message);
    }

    [Fact]
    public void The_largest_volume_has_no_overflow() =>
        Assert.Equal(
            [new VolumeExtent(0, long.MaxValue)],
            VolumeExtents.Normalize([new(1, long.MaxValue - 1), new(0, long.MaxValue), new(long.MaxValue, 0)], long.MaxValue));

    [Fact]
    public void Any_list_covers_the_same_bytes_afterwards()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int run = 0; run < 200; run++)
        {
            int size = random.Next(1, 300);
            var extents = new VolumeExtent[random.Next(20)];
            var expected = new bool[size];
            for (int i = 0; i < extents.Length; i++)
            {
                int offset = random.Next(size + 1);
                int length = random.Next(size - offset + 1);
                extents[i] = new VolumeExtent(offset, length);
                expected.AsSpan(offset, length).Fill(true);
            }
            var covered = new bool[size];
            long end = -1;
            foreach (VolumeExtent extent in VolumeExtents.Normalize(extents, size))
            {
                Assert.True(extent.Length > 0 && extent.Offset > end, $"seed {seed}, run {run}: {extent} after {end}");
                covered.AsSpan((int)extent.Offset, (int)extent.Length).Fill(true);
                end = extent.End;
            }
            Assert.True(expected.AsSpan().SequenceEqual(covered), $"seed {seed}, run {run}");
        }
    }
}
