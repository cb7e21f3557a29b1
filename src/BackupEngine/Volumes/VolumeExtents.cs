namespace BackupEngine.Volumes;

/// <summary>Brings lists of extents, as callers have them, into the one form that the engine works with.</summary>
internal static class VolumeExtents
{
    /// <summary>The same bytes as extents in ascending order that neither overlap nor touch; empty ones are dropped.</summary>
    /// <param name="extents">Extents in any order; they may overlap.</param>
    /// <param name="sizeBytes">Size of the volume that they are of, in bytes.</param>
    /// <exception cref="ArgumentException">An extent has a negative number, or does not end inside the volume.</exception>
    public static VolumeExtent[] Normalize(IReadOnlyList<VolumeExtent> extents, long sizeBytes)
    {
        ArgumentNullException.ThrowIfNull(extents);
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        var sorted = new List<VolumeExtent>(extents.Count);
        foreach (VolumeExtent extent in extents)
        {
            if (extent.Offset < 0 || extent.Length < 0 || extent.Offset > sizeBytes || extent.Length > sizeBytes - extent.Offset)
                throw new ArgumentException($"the extent of {extent.Length} bytes at offset {extent.Offset} is not inside the volume, which has {sizeBytes} bytes");
            if (extent.Length > 0)
                sorted.Add(extent);
        }
        sorted.Sort(static (left, right) => left.Offset.CompareTo(right.Offset));
        return Merge(sorted);
    }

    private static VolumeExtent[] Merge(List<VolumeExtent> sorted)
    {
        var merged = new List<VolumeExtent>(sorted.Count);
        foreach (VolumeExtent extent in sorted)
        {
            if (merged.Count > 0 && merged[^1] is var last && extent.Offset <= last.End)
                merged[^1] = last with { Length = Math.Max(last.End, extent.End) - last.Offset };
            else
                merged.Add(extent);
        }
        return [.. merged];
    }
}
