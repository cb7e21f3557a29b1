using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace BackupEngine.Hashing;

/// <summary>Hashes chunks as their chain does. All workers use one instance at the same time.</summary>
/// <param name="Algorithm">The hash.</param>
/// <param name="Key">The chain's key; SHA-256 does not use it.</param>
internal sealed record ChunkHasher(ChunkHash Algorithm, ChainKey Key)
{
    /// <summary>The keyed state that the current thread used last. It is reused, because creating one for each chunk would cost an allocation.</summary>
    [ThreadStatic]
    private static KeyedState? _keyed;

    /// <summary>Creates a hasher from the seed of XXH3.</summary>
    public ChunkHasher(ChunkHash algorithm, ulong seed)
        : this(algorithm, ChainKey.FromSeed(seed))
    {
    }

    /// <summary>Gets the number of bytes of a digest as stored.</summary>
    public int DigestLength => GetDigestLength(Algorithm);

    public static int GetDigestLength(ChunkHash algorithm) => algorithm is ChunkHash.Sha256 or ChunkHash.Blake3Bits256 ? 32 : 16;

    /// <summary>Returns a value that indicates whether this engine can compute a hash.</summary>
    public static bool IsKnown(ChunkHash algorithm) => algorithm is ChunkHash.XxHash128 or ChunkHash.Sha256 or ChunkHash.Blake3 or ChunkHash.Blake3Bits256;

    /// <summary>Hashes a chunk.</summary>
    public ChunkDigest Hash(ReadOnlySpan<byte> chunk)
    {
        Span<byte> bytes = stackalloc byte[ChunkDigest.MaxLength];
        Span<byte> digest = bytes[..DigestLength];
        switch (Algorithm)
        {
            case ChunkHash.XxHash128:
                BinaryPrimitives.WriteUInt128LittleEndian(digest, XxHash128.HashToUInt128(chunk, unchecked((long)Key.Seed)));
                break;
            case ChunkHash.Sha256:
                SHA256.HashData(chunk, digest);
                break;
            default:
                HashBlake3(chunk, digest);
                break;
        }

        return ChunkDigest.FromBytes(digest);
    }

    /// <summary>
    /// Keyed BLAKE3 of the BLAKE3 of the chunk. The keyed mode is a pseudorandom function and BLAKE3 is collision-resistant, so the composition is a pseudorandom function of the
    /// chunk. Keyed BLAKE3 of the chunk itself would be one too, but the library computes only unkeyed hashes at full speed (docs/decisions/0024).
    /// </summary>
    private void HashBlake3(ReadOnlySpan<byte> chunk, Span<byte> digest)
    {
        Span<byte> inner = stackalloc byte[Blake3.Hash.Size];
        Blake3.Hasher.Hash(chunk, inner);
        Blake3.Hasher keyed = GetKeyed();
        keyed.Reset();
        keyed.Update(inner);
        keyed.Finalize(digest);
    }

    private Blake3.Hasher GetKeyed()
    {
        if (_keyed is { } last && last.Key.Equals(Key))
            return last.Hasher;
        Span<byte> key = stackalloc byte[ChainKey.Length];
        Key.CopyTo(key);
        _keyed?.Hasher.Dispose();
        _keyed = new KeyedState(Key, Blake3.Hasher.NewKeyed(key));
        return _keyed.Hasher;
    }

    private sealed record KeyedState(ChainKey Key, Blake3.Hasher Hasher);
}
