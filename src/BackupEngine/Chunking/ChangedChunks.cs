using BackupEngine.Volumes;

namespace BackupEngine.Chunking;

/// <summary>Makes of the caller's changed extents what the pipeline walks along.</summary>
internal static class ChangedChunks
{
    /// <summary>
    /// Sorts and joins extents; every chunk that they touch will be read. When the volume grew or shrank, the chunk at the smaller of both ends
    /// and all that came behind it counts as changed, whether the caller says so or not.
    /// </summary>
    /// <exception cref="ArgumentException">An extent is not within the volume.</exception>
    public static IReadOnlyList<VolumeExtent> Join(IReadOnlyList<VolumeExtent> changed, VolumeGeometry geometry, VolumeGeometry parent)
    {
        var sorted = new List<VolumeExtent>(changed.Count + 1);
        foreach (VolumeExtent extent in changed)
        {
            if (extent.Offset < 0 || extent.Length < 0 || extent.Offset > geometry.SizeBytes || extent.Length > geometry.SizeBytes - extent.Offset)
                throw new ArgumentException($"The changed extent of {extent.Length} bytes from {extent.Offset} is not within the volume of {geometry.SizeBytes} bytes.", nameof(changed));
            if (extent.Length > 0)
                sorted.Add(extent);
        }

        if (geometry.SizeBytes != parent.SizeBytes && geometry.SizeBytes > 0)
        {
            long lastByte = Math.Max(0, Math.Min(geometry.SizeBytes, parent.SizeBytes) - 1);
            sorted.Add(new VolumeExtent(lastByte, geometry.SizeBytes - lastByte));
        }

        sorted.Sort((left, right) => left.Offset.CompareTo(right.Offset));
        var joined = new List<VolumeExtent>(sorted.Count);
        foreach (VolumeExtent extent in sorted)
        {
            if (joined.Count > 0 && extent.Offset <= joined[^1].End)
                joined[^1] = new VolumeExtent(joined[^1].Offset, Math.Max(joined[^1].End, extent.End) - joined[^1].Offset);
            else
                joined.Add(extent);
        }

        return joined;
    }
}
