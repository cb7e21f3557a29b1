using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BackupEngine.Hashing;

/// <summary>The hash of a chunk, up to 32 bytes; shorter hashes leave the rest zero.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ChunkDigest
{
    public const int MaxLength = 32;

    private readonly UInt128 _low;
    private readonly UInt128 _high;

    /// <summary>Takes 1 to 32 bytes.</summary>
    public static ChunkDigest FromBytes(ReadOnlySpan<byte> bytes)
    {
        ChunkDigest digest = default;
        bytes.CopyTo(MemoryMarshal.AsBytes(new Span<ChunkDigest>(ref digest)));
        return digest;
    }

    /// <summary>Copies the first bytes, as many as the destination holds.</summary>
    public void CopyTo(Span<byte> destination) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<ChunkDigest>(in this))[..destination.Length].CopyTo(destination);
}
