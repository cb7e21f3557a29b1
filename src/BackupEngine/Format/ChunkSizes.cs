using System.Numerics;

namespace BackupEngine.Format;

/// <summary>The chunk sizes that the format allows.</summary>
internal static class ChunkSizes
{
    public const int Min = 4 << 10;
    public const int Max = 4 << 20;

    /// <summary>Few changed bytes around each change, and the fast path of LZ4 ends here (docs/architecture.md has the figures).</summary>
    public const int Default = 64 << 10;

    public static bool IsValid(int size) => size is >= Min and <= Max && BitOperations.IsPow2(size);
}
