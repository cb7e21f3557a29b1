using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace BackupEngine.Hashing;

/// <summary>Hashes chunks the way their chain does. Stateless; used by all workers at once.</summary>
/// <param name="Algorithm">The hash.</param>
/// <param name="Seed">The chain's seed; only XXH3 uses it.</param>
internal sealed record ChunkHasher(ChunkHash Algorithm, ulong Seed)
{
    /// <summary>Bytes of a digest as stored.</summary>
    public int DigestLength => GetDigestLength(Algorithm);

    public static int GetDigestLength(ChunkHash algorithm) => algorithm == ChunkHash.Sha256 ? 32 : 16;

    public ChunkDigest Hash(ReadOnlySpan<byte> chunk)
    {
        Span<byte> bytes = stackalloc byte[ChunkDigest.MaxLength];
        if (Algorithm == ChunkHash.Sha256)
        {
            SHA256.HashData(chunk, bytes);
            return ChunkDigest.FromBytes(bytes);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(bytes, XxHash128.HashToUInt128(chunk, unchecked((long)Seed)));
        return ChunkDigest.FromBytes(bytes[..16]);
    }
}
