using System.Collections;
using BackupEngine.Chunking;
using BackupEngine.TestKit;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Chunking;

public sealed class ChangedChunksTests
{
    private const int ChunkSize = 4096;

    [Fact]
    public void Extents_in_any_order_that_overlap_touch_or_lie_within_others_cover_what_they_covered_and_follow_each_other()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int run = 0; run < 500; run++)
        {
            var geometry = new VolumeGeometry(random.Next(1, 2000), ChunkSize);
            VolumeExtent[] told = [.. Enumerable.Range(0, random.Next(20)).Select(_ => NextExtent(random, geometry.SizeBytes))];

            IReadOnlyList<VolumeExtent> joined = ChangedChunks.Join(told, geometry, geometry);

            string what = $"seed {seed}, run {run}: {string.Join(' ', told)} became {string.Join(' ', joined)}";
            Assert.True(Covered(told, geometry).Xor(Covered(joined, geometry)).HasAnySet() is false, what);
            Assert.True(joined.Zip(joined.Skip(1)).All(pair => pair.First.End < pair.Second.Offset), what);
            Assert.True(joined.All(extent => extent.Length > 0), what);
        }
    }

    [Theory]
    [InlineData(10_000, 30_000, 9_999, 30_000)] // the last chunk of before has new bytes behind its end
    [InlineData(30_000, 10_000, 9_999, 10_000)] // and here fewer
    [InlineData(0, 30_000, 0, 30_000)]
    public void A_volume_of_another_size_has_changed_from_the_end_of_the_smaller(long before, long now, long start, long end)
    {
        IReadOnlyList<VolumeExtent> joined = ChangedChunks.Join([], new VolumeGeometry(now, ChunkSize), new VolumeGeometry(before, ChunkSize));

        Assert.Equal([new VolumeExtent(start, end - start)], joined);
    }

    [Fact]
    public void A_volume_that_became_empty_has_no_changes() =>
        Assert.Empty(ChangedChunks.Join([], new VolumeGeometry(0, ChunkSize), new VolumeGeometry(10_000, ChunkSize)));

    [Theory]
    [InlineData(-1, 10)]
    [InlineData(0, -1)]
    [InlineData(0, 10_001)]
    [InlineData(10_001, 0)]
    [InlineData(9_999, 2)]
    [InlineData(1, long.MaxValue)]
    [InlineData(long.MaxValue, long.MaxValue)]
    public void An_extent_that_is_not_within_the_volume_is_refused(long offset, long length)
    {
        var geometry = new VolumeGeometry(10_000, ChunkSize);

        Assert.Throws<ArgumentException>(() => ChangedChunks.Join([new VolumeExtent(0, 1), new VolumeExtent(offset, length)], geometry, geometry));
    }

    private static VolumeExtent NextExtent(Random random, long size)
    {
        long offset = random.NextInt64(size + 1);
        return new VolumeExtent(offset, random.NextInt64(Math.Min(size - offset, 200) + 1));
    }

    private static BitArray Covered(IEnumerable<VolumeExtent> extents, VolumeGeometry geometry)
    {
        var bytes = new BitArray((int)geometry.SizeBytes);
        foreach (VolumeExtent extent in extents)
        {
            for (long offset = extent.Offset; offset < extent.End; offset++)
                bytes[(int)offset] = true;
        }

        return bytes;
    }
}
