using BackupEngine.Hashing;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>What a map says of one chunk (or page): where its frame is, and its digest. The default value is zeros.</summary>
internal readonly record struct MapEntry(FrameLocation Location, ChunkDigest Digest)
{
    public bool IsZero => Location.IsZero;
}
