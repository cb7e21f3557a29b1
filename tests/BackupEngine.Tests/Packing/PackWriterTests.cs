using System.Buffers.Binary;
using System.IO.Hashing;
using BackupEngine.Buffers;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Packing;
using Xunit;

namespace BackupEngine.Tests.Packing;

public sealed class PackWriterTests : IDisposable
{
    private readonly NativeBuffer _buffer = new(1 << 20);

    public void Dispose() => ((IDisposable)_buffer).Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("lz4")]
    [InlineData("zstd:1")]
    [InlineData("zstd:19")]
    public void Frames_describe_themselves_and_decode(string setting)
    {
        Assert.True(ChunkCompression.TryParse(setting, out ChunkCompression compression));
        using var compressor = new ChunkCompressor(compression);
        using var decompressor = new ChunkDecompressor();
        byte[][] chunks = [new byte[65_536], Noise(65_536), [42], Noise(7), [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i / 100))]];
        var pack = new PackWriter(_buffer, new PackId(5, 9), Guid.NewGuid());
        for (int chunk = 0; chunk < chunks.Length; chunk++)
        {
            Assert.True(pack.TryAppendChunk(compressor, 1000 + chunk, chunks[chunk], out FrameLocation location));
            ReadOnlySpan<byte> frame = _buffer.GetSpan().Slice((int)location.Offset, (int)location.Length);
            Assert.True(FrameHeader.IsIntact(frame));
            Assert.True(FrameHeader.TryRead(frame, out FrameHeader header));
            Assert.Equal((FrameKind.Chunk, (ulong)(1000 + chunk), chunks[chunk].Length), (header.Kind, header.Number, header.PlainLength));
            Assert.InRange(header.StoredLength, 1, chunks[chunk].Length);
            byte[] plain = new byte[header.PlainLength];
            Assert.True(decompressor.TryDecompress(header.Codec, frame[FrameFormat.HeaderSize..], plain));
            Assert.Equal(chunks[chunk], plain);
        }
    }

    [Fact]
    public void The_index_and_footer_say_where_every_frame_is()
    {
        using var compressor = new ChunkCompressor(ChunkCompression.Lz4);
        var pack = new PackWriter(_buffer, new PackId(0, 3), Guid.NewGuid());
        var locations = new List<FrameLocation>();
        for (int chunk = 0; chunk < 20; chunk++)
        {
            Assert.True(pack.TryAppendChunk(compressor, chunk, Noise(1000 + chunk), out FrameLocation location));
            locations.Add(location);
        }

        ReadOnlySpan<byte> bytes = pack.Finish().Span;
        ReadOnlySpan<byte> footer = bytes[^PackFormat.FooterSize..];
        int index = (int)BinaryPrimitives.ReadInt64LittleEndian(footer);
        Assert.Equal(locations[^1].End, index);
        Assert.Equal(20, BinaryPrimitives.ReadInt32LittleEndian(footer[PackFormat.Footer.FrameCount..]));
        Assert.Equal(XxHash3.HashToUInt64(bytes[index..^PackFormat.FooterSize]), BinaryPrimitives.ReadUInt64LittleEndian(footer[PackFormat.Footer.IndexChecksum..]));
        Assert.Equal(XxHash3.HashToUInt64(footer[..PackFormat.Footer.Checksum]), BinaryPrimitives.ReadUInt64LittleEndian(footer[PackFormat.Footer.Checksum..]));
        for (int frame = 0; frame < 20; frame++)
            Assert.True(bytes.Slice((int)locations[frame].Offset, FrameFormat.HeaderSize).SequenceEqual(bytes.Slice(index + (frame * FrameFormat.HeaderSize), FrameFormat.HeaderSize)));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("lz4")]
    [InlineData("zstd:1")]
    public void A_full_pack_refuses_and_still_has_room_for_its_index(string setting)
    {
        Assert.True(ChunkCompression.TryParse(setting, out ChunkCompression compression));
        using var compressor = new ChunkCompressor(compression);
        var pack = new PackWriter(_buffer, new PackId(0, 1), Guid.NewGuid());
        int count = 0;
        while (pack.TryAppendChunk(compressor, count, Noise(4096, count), out _))
            count++;
        Assert.InRange(count, 240, 256);
        Assert.InRange(pack.Finish().Length, (1 << 20) - 10_000, 1 << 20);
    }

    [Fact]
    public void Every_flipped_bit_of_a_frame_is_noticed()
    {
        using var compressor = new ChunkCompressor(ChunkCompression.Lz4);
        var pack = new PackWriter(_buffer, new PackId(0, 1), Guid.NewGuid());
        Assert.True(pack.TryAppendChunk(compressor, 1, Noise(300), out FrameLocation location));
        Span<byte> frame = _buffer.GetSpan().Slice((int)location.Offset, (int)location.Length);
        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(FrameHeader.IsIntact(frame));
            frame[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(FrameHeader.IsIntact(frame));
    }

    private static byte[] Noise(int length, int seed = 3)
    {
        byte[] noise = new byte[length];
        new Random(seed).NextBytes(noise);
        return noise;
    }
}
