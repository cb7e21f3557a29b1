using BackupEngine.Volumes;

namespace BackupEngine.Chunking;

/// <summary>Makes of the caller's changed extents what the pipeline walks along.</summary>
internal static class ChangedChunks
{
    /// <summary>
    /// Sorts and joins extents, widened to whole chunks. When the volume grew or shrank, the chunk at the smaller of both ends and all that
    /// came behind it counts as changed, whether the caller says so or not.
    /// </summary>
    /// <exception cref="ArgumentException">An extent is not within the volume.</exception>
    public static IReadOnlyList<VolumeExtent> Align(IReadOnlyList<VolumeExtent> changed, VolumeGeometry geometry, VolumeGeometry parent)
    {
        var aligned = new List<VolumeExtent>(changed.Count + 1);
        foreach (VolumeExtent extent in changed)
        {
            if (extent.Offset < 0 || extent.Length < 0 || extent.Offset > geometry.SizeBytes || extent.Length > geometry.SizeBytes - extent.Offset)
                throw new ArgumentException($"The changed extent of {extent.Length} bytes from {extent.Offset} is not within the volume of {geometry.SizeBytes} bytes.", nameof(changed));
            if (extent.Length > 0)
                aligned.Add(Widen(extent, geometry));
        }

        long smallerEnd = Math.Min(geometry.SizeBytes, parent.SizeBytes);
        if (geometry.SizeBytes != parent.SizeBytes && geometry.SizeBytes > 0)
            aligned.Add(Widen(new VolumeExtent(Math.Max(0, smallerEnd - 1), geometry.SizeBytes - Math.Max(0, smallerEnd - 1)), geometry));

        aligned.Sort((left, right) => left.Offset.CompareTo(right.Offset));
        var joined = new List<VolumeExtent>(aligned.Count);
        foreach (VolumeExtent extent in aligned)
        {
            if (joined.Count > 0 && extent.Offset <= joined[^1].End)
                joined[^1] = new VolumeExtent(joined[^1].Offset, Math.Max(joined[^1].End, extent.End) - joined[^1].Offset);
            else
                joined.Add(extent);
        }

        return joined;
    }

    private static VolumeExtent Widen(VolumeExtent extent, VolumeGeometry geometry)
    {
        long start = extent.Offset / geometry.ChunkSize * geometry.ChunkSize;
        long end = Math.Min(geometry.SizeBytes, ((extent.End - 1) / geometry.ChunkSize * geometry.ChunkSize) + geometry.ChunkSize);
        return new VolumeExtent(start, end - start);
    }
}
