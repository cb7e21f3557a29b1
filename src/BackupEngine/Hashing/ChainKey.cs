using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BackupEngine.Hashing;

/// <summary>The random bytes that a chain's hash is keyed with. XXH3 takes a seed of 8 bytes, BLAKE3 a key of 32 bytes.</summary>
[InlineArray(Length)]
internal struct ChainKey : IEquatable<ChainKey>
{
    public const int Length = 32;

    private byte _first;

    /// <summary>Gets the seed of XXH3: the first 8 bytes, little-endian.</summary>
    public readonly ulong Seed => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(in this));

    /// <summary>Draws the key of a new chain.</summary>
    public static ChainKey CreateRandom(ChunkHash hash)
    {
        ChainKey key = default;
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ChainKey>(ref key))[..GetLength(hash)]);
        return key;
    }

    /// <summary>Creates the key that consists of a seed of XXH3.</summary>
    public static ChainKey FromSeed(ulong seed)
    {
        ChainKey key = default;
        BinaryPrimitives.WriteUInt64LittleEndian(MemoryMarshal.AsBytes(new Span<ChainKey>(ref key)), seed);
        return key;
    }

    /// <summary>Creates a key from its 32 bytes.</summary>
    public static ChainKey FromBytes(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<ChainKey>(bytes);

    /// <summary>Gets the number of bytes that a hash uses; the others are zeros.</summary>
    public static int GetLength(ChunkHash hash) => hash is ChunkHash.Blake3 or ChunkHash.Blake3Bits256 ? Length : sizeof(ulong);

    public readonly void CopyTo(Span<byte> destination) => Bytes(in this).CopyTo(destination);

    public readonly bool Equals(ChainKey other) => Bytes(in this).SequenceEqual(Bytes(in other));

    public override readonly bool Equals(object? obj) => obj is ChainKey other && Equals(other);

    public override readonly int GetHashCode() => Seed.GetHashCode();

    private static ReadOnlySpan<byte> Bytes(ref readonly ChainKey key) => MemoryMarshal.AsBytes(new ReadOnlySpan<ChainKey>(in key));
}
