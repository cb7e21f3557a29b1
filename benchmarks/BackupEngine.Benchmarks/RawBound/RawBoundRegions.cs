using BackupEngine.Volumes;

namespace BackupEngine.Benchmarks.RawBound;

/// <summary>Cuts what a file holds into the portions that threads take.</summary>
internal static class RawBoundRegions
{
    private const long RegionLength = 16 << 20;

    /// <summary>Regions of at most 16 MiB, from chunk boundary to chunk boundary. Holes are left out, as the engine does: the bound is that of the same bytes.</summary>
    public static IReadOnlyList<VolumeExtent> Find(string path, bool readHoles)
    {
        var regions = new List<VolumeExtent>();
        FileVolume volume = FileVolume.OpenRead(path);
        try
        {
            for (long offset = 0; offset < volume.SizeBytes;)
            {
                // Everything of a FileVolume finishes before it returns.
                VolumeExtent? allocated = readHoles
                    ? new VolumeExtent(offset, volume.SizeBytes - offset)
                    : volume.FindAllocatedAsync(offset).AsTask().GetAwaiter().GetResult();
                if (allocated is not { } extent)
                    break;

                long start = Math.Max(offset, extent.Offset / RawBoundRun.ChunkLength * RawBoundRun.ChunkLength);
                long nextRegion = (start / RegionLength * RegionLength) + RegionLength;
                long chunkEnd = (extent.End + RawBoundRun.ChunkLength - 1) / RawBoundRun.ChunkLength * RawBoundRun.ChunkLength;
                long end = Math.Min(volume.SizeBytes, Math.Min(nextRegion, chunkEnd));
                if (regions.Count > 0 && regions[^1] is var last && last.End == start && start % RegionLength != 0)
                    regions[^1] = last with { Length = end - last.Offset };
                else
                    regions.Add(new VolumeExtent(start, end - start));
                offset = end;
            }
        }
        finally
        {
            volume.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        return regions;
    }
}
