using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;
using BackupEngine.Pipelines;
using BackupEngine.TestKit.Requirements;
using Xunit;

namespace BackupEngine.Tests.Pipelines;

public sealed class KnownFramesTests
{
    [Fact]
    public void All_chunks_of_a_volume_are_found_while_there_is_room()
    {
        using var known = new KnownFrames(16 << 20, 60_000);
        for (int number = 1; number <= 60_000; number++)
            known.Add(CreateEntry(number));
        int lost = Enumerable.Range(1, 60_000).Count(number => !known.TryFind(CreateEntry(number).Digest, out FrameLocation location) || location != CreateEntry(number).Location);
        Assert.InRange(lost, 0, 120); // hashes of the process are random, and a stretch may be full
        Assert.DoesNotContain(Enumerable.Range(60_001, 10_000), number => known.TryFind(CreateEntry(number).Digest, out _));
    }

    [LongRunning]
    [Fact]
    public void Of_too_many_the_last_are_found_and_none_is_mistaken()
    {
        using var known = new KnownFrames(KnownFrames.MinBytes, 1L << 40);
        Assert.InRange(known.SizeBytes, KnownFrames.MinBytes / 2, KnownFrames.MinBytes);
        int found = 0;
        for (int number = 1; number <= 200_000; number++)
        {
            known.Add(CreateEntry(number));
            Assert.True(known.TryFind(CreateEntry(number).Digest, out _), $"{number}, just added");
            if (number > 2_000 && known.TryFind(CreateEntry(number - 2_000).Digest, out FrameLocation location))
            {
                Assert.Equal(CreateEntry(number - 2_000).Location, location);
                found++;
            }
        }

        Assert.InRange(found, 150_000, 200_000);
    }

    /// <summary>Those of a backup that was cut off were pushed out by the parent's, which the walk meets later.</summary>
    [Fact]
    public void Where_nothing_gives_way_the_first_are_found_however_many_follow()
    {
        using var known = new KnownFrames(KnownFrames.MinBytes, 1L << 40, keepsFirst: true);
        for (int number = 1; number <= 100_000; number++)
            known.Add(CreateEntry(number));
        Assert.InRange(Enumerable.Range(1, 5_000).Count(number => known.TryFind(CreateEntry(number).Digest, out _)), 4_990, 5_000);
    }

    [Fact]
    public void The_first_frame_of_a_chunk_stays_and_zeros_are_none()
    {
        using var known = new KnownFrames(KnownFrames.MinBytes, 100);
        MapEntry first = CreateEntry(1);
        known.Add([default, first, default]);
        known.Add(first with { Location = CreateEntry(2).Location });
        Assert.True(known.TryFind(first.Digest, out FrameLocation location));
        Assert.Equal(first.Location, location);
        Assert.False(known.TryFind(default, out _));
    }

    private static MapEntry CreateEntry(int number)
    {
        byte[] digest = new byte[16];
        new Random(number).NextBytes(digest);
        return new MapEntry(new FrameLocation(3, (uint)number, 64, 1000), ChunkDigest.FromBytes(digest));
    }
}
