using System.Buffers.Binary;
using System.IO.Hashing;
using BackupEngine.Compression;
using BackupEngine.Format;

namespace BackupEngine.Packing;

/// <summary>What stands before the stored bytes of a frame.</summary>
/// <param name="Kind">What the frame holds.</param>
/// <param name="Codec">How the stored bytes are encoded.</param>
/// <param name="Number">Which chunk or page it is.</param>
/// <param name="StoredLength">Bytes after the header.</param>
/// <param name="PlainLength">Bytes they decode to.</param>
/// <param name="Checksum">XXH3-64 of the rest of the header and the stored bytes.</param>
internal readonly record struct FrameHeader(FrameKind Kind, Codec Codec, ulong Number, int StoredLength, int PlainLength, ulong Checksum)
{
    /// <summary>Writes the header before stored bytes that are already in place, and computes the checksum of both.</summary>
    /// <param name="frame">Room for the header, and the stored bytes.</param>
    /// <returns>The checksum.</returns>
    public static ulong Seal(Span<byte> frame, FrameKind kind, Codec codec, ulong number, int plainLength)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameFormat.Magic..], FrameFormat.MagicValue);
        frame[FrameFormat.Kind] = (byte)kind;
        frame[FrameFormat.Codec] = (byte)codec;
        frame[FrameFormat.Codec + 1] = 0;
        frame[FrameFormat.Codec + 2] = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(frame[FrameFormat.Number..], number);
        BinaryPrimitives.WriteInt32LittleEndian(frame[FrameFormat.StoredLength..], frame.Length - FrameFormat.HeaderSize);
        BinaryPrimitives.WriteInt32LittleEndian(frame[FrameFormat.PlainLength..], plainLength);
        ulong checksum = XxHash3.HashToUInt64(frame[FrameFormat.Magic..]);
        BinaryPrimitives.WriteUInt64LittleEndian(frame, checksum);
        return checksum;
    }

    /// <summary>Reads the header of a frame; what it says is only checked for sense, not against the checksum.</summary>
    /// <returns>False when this is no frame's header.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        header = default;
        if (bytes.Length < FrameFormat.HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameFormat.Magic..]) != FrameFormat.MagicValue)
            return false;

        header = new FrameHeader(
            (FrameKind)bytes[FrameFormat.Kind],
            (Codec)bytes[FrameFormat.Codec],
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[FrameFormat.Number..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameFormat.StoredLength..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameFormat.PlainLength..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        return header.Kind is FrameKind.Chunk or FrameKind.Page
            && header.Codec is Codec.None or Codec.Lz4 or Codec.Zstd
            && header.StoredLength is > 0 and <= PackFormat.MaxPackSize
            && header.PlainLength is > 0 and <= ChunkSizes.Max;
    }

    /// <summary>Whether a whole frame is as it was written.</summary>
    /// <param name="frame">Header and stored bytes.</param>
    public static bool IsIntact(ReadOnlySpan<byte> frame) =>
        TryRead(frame, out FrameHeader header)
        && frame.Length == FrameFormat.HeaderSize + header.StoredLength
        && XxHash3.HashToUInt64(frame[FrameFormat.Magic..]) == header.Checksum;
}
