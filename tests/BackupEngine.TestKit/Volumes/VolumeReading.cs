using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.TestKit.Volumes;

/// <summary>Conveniences for small volumes in tests.</summary>
public static class VolumeReading
{
    /// <summary>The whole content.</summary>
    public static async Task<byte[]> ReadAllAsync(this IVolume volume, CancellationToken cancellationToken = default)
    {
        var content = new byte[volume.SizeBytes];
        await volume.ReadAsync(content, 0, cancellationToken);
        return content;
    }

    /// <summary>All extents that may hold data, as the volume tells them.</summary>
    public static async Task<List<VolumeExtent>> FindAllAllocatedAsync(this IVolume volume, CancellationToken cancellationToken = default)
    {
        var extents = new List<VolumeExtent>();
        long offset = 0;
        while (await volume.FindAllocatedAsync(offset, cancellationToken) is { } extent)
        {
            Assert.True(extent.Offset >= offset && extent.Length > 0, $"{volume.Name}: {extent} is empty or not after {offset}");
            extents.Add(extent);
            offset = extent.End;
        }
        return extents;
    }
}
