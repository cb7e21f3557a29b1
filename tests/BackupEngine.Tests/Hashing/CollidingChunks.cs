using System.Buffers.Binary;
using System.IO.Hashing;
using Xunit;

namespace BackupEngine.Tests.Hashing;

/// <summary>
/// Pairs of chunks with one XXH3-128 for a known seed. XXH3 adds to an accumulator, for each lane of a stripe, the product of the halves of (data ^ secret), and to the
/// neighbouring accumulator the data. Where the low half of the data is that of the secret, the product is 0 whatever the high half is; so what the high half of one
/// stripe gains, the same lane of the next stripe may lose, and all accumulators are the same.
/// </summary>
internal static class CollidingChunks
{
    private const int Stripe = 64;

    /// <summary>The lane whose words are chosen; any would do.</summary>
    private const int Lane = 2;

    /// <summary>The words of XXH3's default secret that meet the lane in the first and in the second stripe.</summary>
    private static readonly ulong[] _secret = [0xDB979083E96DD4DE, 0x1F67B3B7A4A44072];

    /// <summary>Makes two chunks out of one.</summary>
    public static (byte[] First, byte[] Second) Create(byte[] chunk, ulong seed)
    {
        // With a seed, it is added to every even word of the secret, and subtracted from every odd one.
        ulong[] keys = [unchecked(_secret[0] + seed), unchecked(_secret[1] - seed)];
        byte[] first = [.. chunk];
        for (int stripe = 0; stripe < 2; stripe++)
            BinaryPrimitives.WriteUInt32LittleEndian(first.AsSpan((stripe * Stripe) + (Lane * 8)), (uint)keys[stripe]);
        byte[] second = [.. first];
        AddToHigh(second, 0, 1);
        AddToHigh(second, 1, -1);

        Assert.NotEqual(first, second);
        Assert.Equal(XxHash128.HashToUInt128(first, unchecked((long)seed)), XxHash128.HashToUInt128(second, unchecked((long)seed)));
        return (first, second);
    }

    /// <summary>The low half stays, so a carry must not leave the word.</summary>
    private static void AddToHigh(byte[] chunk, int stripe, int change)
    {
        Span<byte> high = chunk.AsSpan((stripe * Stripe) + (Lane * 8) + 4);
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(high);
        BinaryPrimitives.WriteUInt32LittleEndian(high, unchecked((uint)(value + change)));
        Assert.InRange((long)value + change, 0, uint.MaxValue);
    }
}
