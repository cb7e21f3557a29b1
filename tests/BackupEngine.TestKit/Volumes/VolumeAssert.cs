using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>Assertions on volumes and their bytes that name the first offset that is wrong.</summary>
public static class VolumeAssert
{
    /// <summary>Both are the same, byte for byte.</summary>
    public static void Same(ReadOnlyMemory<byte> expected, ReadOnlyMemory<byte> actual, string what)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: {actual.Length} bytes, not {expected.Length}");
        int same = expected.Span.CommonPrefixLength(actual.Span);
        Assert.True(same == expected.Length, $"{what}: differs at {same} of {expected.Length}");
    }

    /// <summary>The volume holds that content, and its extents ascend, are not empty, stay inside, and leave out nothing but zeros.</summary>
    public static async Task HoldsAsync(byte[] expected, IVolume volume, string what, CancellationToken cancellationToken = default)
    {
        Same(expected, await volume.ReadAllAsync(cancellationToken), what);
        long position = 0;
        foreach (VolumeExtent extent in await volume.FindAllAllocatedAsync(cancellationToken))
        {
            Assert.True(extent.End <= volume.SizeBytes, $"{what}: {extent} is not inside {volume.SizeBytes} bytes");
            NoData(expected, position, extent.Offset, what);
            position = extent.End;
        }
        NoData(expected, position, expected.Length, what);
    }

    private static void NoData(byte[] content, long from, long to, string what)
    {
        int data = content.AsSpan((int)from, (int)(to - from)).IndexOfAnyExcept((byte)0);
        Assert.True(data < 0, $"{what}: data at {from + data} is in no extent");
    }
}
