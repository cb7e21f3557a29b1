using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;
using BackupEngine.TestKit;
using Xunit;

namespace BackupEngine.Tests.Manifests;

public sealed class MapCodecTests
{
    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    [InlineData(127UL)]
    [InlineData(128UL)]
    [InlineData(16_383UL)]
    [InlineData(16_384UL)]
    [InlineData(uint.MaxValue)]
    [InlineData(ulong.MaxValue)]
    public void Integers_come_back(ulong value)
    {
        byte[] bytes = new byte[VarInt.MaxLength];
        int length = VarInt.Write(bytes, value);
        ReadOnlySpan<byte> source = bytes.AsSpan(0, length);
        Assert.True(VarInt.TryRead(ref source, out ulong read));
        Assert.Equal(value, read);
        Assert.True(source.IsEmpty);
        for (int cut = 0; cut < length; cut++)
        {
            ReadOnlySpan<byte> partial = bytes.AsSpan(0, cut);
            Assert.False(VarInt.TryRead(ref partial, out _));
        }
    }

    [Fact]
    public void An_integer_of_more_than_64_bits_is_refused()
    {
        ReadOnlySpan<byte> tooLarge = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        Assert.False(VarInt.TryRead(ref tooLarge, out _));
        ReadOnlySpan<byte> tooLong = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        Assert.False(VarInt.TryRead(ref tooLong, out _));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    public void Random_pages_come_back(int digestLength)
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        byte[] buffer = new byte[PageFormat.MaxPageLength];
        for (int round = 0; round < 300; round++)
        {
            Page page = NextPage(random, digestLength);
            int length = page.Encode(buffer, digestLength);
            var decoded = new Page();
            decoded[3] = NextEntry(random, digestLength, default);
            Assert.True(decoded.TryDecode(buffer.AsSpan(0, length), digestLength), $"seed {seed}, round {round}");
            Assert.True(page.Entries.SequenceEqual(decoded.Entries), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public void The_longest_page_fits_its_bound()
    {
        var page = new Page();
        byte[] digest = new byte[32];
        Array.Fill(digest, (byte)0xFF);
        for (int index = 0; index < PageFormat.ChunksPerPage; index += 2)
            page[index] = new MapEntry(new FrameLocation(int.MaxValue, uint.MaxValue, (PackFormat.MaxPackSize / 2) - (uint)index, PackFormat.MaxPackSize / 2), ChunkDigest.FromBytes(digest));
        byte[] buffer = new byte[PageFormat.MaxPageLength];
        Assert.InRange(page.Encode(buffer, 32), 1, buffer.Length);
        for (int index = 1; index < PageFormat.ChunksPerPage; index += 2)
            page[index] = page[index - 1];
        Assert.InRange(page.Encode(buffer, 32), 1, buffer.Length);
    }

    [Fact]
    public void A_page_of_zeros_is_no_bytes() => Assert.Equal(0, new Page().Encode(new byte[PageFormat.MaxPageLength], 16));

    [Fact]
    public void Neighbouring_frames_cost_little_more_than_their_digests()
    {
        var page = new Page();
        uint offset = PackFormat.HeaderSize;
        for (int index = 0; index < PageFormat.ChunksPerPage; index++)
        {
            page[index] = new MapEntry(new FrameLocation(3, 9, offset, 30_000), ChunkDigest.FromBytes(new byte[] { 1, 2, 3 }));
            offset += 30_000;
        }

        Assert.InRange(page.Encode(new byte[PageFormat.MaxPageLength], 16), 1, (PageFormat.ChunksPerPage * (16 + 3)) + 16);
    }

    [Fact]
    public void Cut_off_and_mutated_pages_never_pass_for_longer_than_a_page()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        byte[] buffer = new byte[PageFormat.MaxPageLength];
        for (int round = 0; round < 2_000; round++)
        {
            int length = NextPage(random, 16).Encode(buffer, 16);
            if (length == 0)
                continue;
            byte[] mutated = buffer[..random.Next(length)];
            for (int flips = random.Next(4); flips > 0 && mutated.Length > 0; flips--)
                mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
            var page = new Page();
            if (page.TryDecode(mutated, 16))
                Assert.All(page.Entries.ToArray(), entry => Assert.True(entry.IsZero || entry.Location is { Length: > FrameFormat.HeaderSize, End: <= PackFormat.MaxPackSize }, $"seed {seed}"));
        }
    }

    private static Page NextPage(Random random, int digestLength)
    {
        var page = new Page();
        FrameLocation previous = default;
        for (int index = 0; index < PageFormat.ChunksPerPage;)
        {
            int run = Math.Min(random.Next(1, 40), PageFormat.ChunksPerPage - index);
            bool zeros = random.Next(2) == 0;
            for (; run > 0; run--, index++)
            {
                page[index] = zeros ? default : NextEntry(random, digestLength, previous);
                previous = zeros ? previous : page[index].Location;
            }
        }

        return page;
    }

    private static MapEntry NextEntry(Random random, int digestLength, FrameLocation previous)
    {
        byte[] digest = new byte[digestLength];
        random.NextBytes(digest);
        uint length = (uint)random.Next(FrameFormat.HeaderSize + 1, 1 << 20);
        FrameLocation location = random.Next(3) > 0 && !previous.IsZero && previous.End + length < PackFormat.MaxPackSize
            ? previous with { Offset = (uint)previous.End, Length = length }
            : new FrameLocation((uint)random.Next(1000), (uint)random.Next(), (uint)random.Next(PackFormat.HeaderSize, PackFormat.MaxPackSize - (1 << 20)), length);
        return new MapEntry(location, ChunkDigest.FromBytes(digest));
    }
}
