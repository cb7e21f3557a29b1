using BackupEngine.Hashing;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>A chunk that has to be fetched: where it belongs in the volume, where its frame is, and what it must hash to.</summary>
internal readonly record struct WantedChunk(long Chunk, FrameLocation Location, ChunkDigest Digest)
{
    /// <summary>The order in which frames lie in packs; chunks that share a frame in the order of the volume.</summary>
    public static int CompareByLocation(WantedChunk left, WantedChunk right)
    {
        int order = left.Location.BackupOrdinal.CompareTo(right.Location.BackupOrdinal);
        if (order == 0)
            order = left.Location.PackSequence.CompareTo(right.Location.PackSequence);
        if (order == 0)
            order = left.Location.Offset.CompareTo(right.Location.Offset);
        return order != 0 ? order : left.Chunk.CompareTo(right.Chunk);
    }
}
