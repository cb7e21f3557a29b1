using System.Buffers.Binary;
using System.IO.Hashing;
using BackupEngine.Buffers;
using BackupEngine.Compression;
using BackupEngine.Format;

namespace BackupEngine.Packing;

/// <summary>Fills one pack, in a buffer that becomes the object as it is. Used by one thread at a time.</summary>
internal sealed class PackWriter
{
    private readonly PackId _id;
    private int _length;
    private int _frameCount;

    /// <summary>Begins a pack.</summary>
    /// <param name="buffer">Where it is built; the caller gives it back to its pool.</param>
    /// <param name="id">Which pack it is.</param>
    /// <param name="backupId">The backup that writes it.</param>
    public PackWriter(NativeBuffer buffer, PackId id, Guid backupId)
    {
        Buffer = buffer;
        _id = id;
        Span<byte> header = buffer.GetSpan()[..PackFormat.HeaderSize];
        header.Clear();
        PackFormat.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[PackFormat.Header.Version..], PackFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[PackFormat.Header.Size..], PackFormat.HeaderSize);
        backupId.TryWriteBytes(header[PackFormat.Header.BackupId..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(header[PackFormat.Header.Sequence..], id.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(
            header[PackFormat.Header.Checksum..], XxHash3.HashToUInt64(header[..PackFormat.Header.Checksum]));
        _length = PackFormat.HeaderSize;
    }

    public NativeBuffer Buffer { get; }

    public PackId Id => _id;

    /// <summary>Bytes of the frames so far.</summary>
    public long FrameBytes => _length - PackFormat.HeaderSize;

    /// <summary>Encodes a chunk into a new frame, right where it will be stored.</summary>
    /// <returns>False, with nothing written, when the pack is too full.</returns>
    public bool TryAppendChunk(ChunkCompressor compressor, long chunk, ReadOnlySpan<byte> plain, out FrameLocation location)
    {
        if (!HasRoom(compressor.GetMaxLength(plain.Length)))
        {
            location = default;
            return false;
        }

        Span<byte> room = Buffer.GetSpan()[_length..];
        Codec codec = compressor.Compress(plain, room[FrameFormat.HeaderSize..], out int storedLength);
        Seal(room[..(FrameFormat.HeaderSize + storedLength)], FrameKind.Chunk, codec, (ulong)chunk, plain.Length, out location);
        return true;
    }

    /// <summary>Copies a page into a new frame.</summary>
    /// <param name="page">Which page.</param>
    /// <param name="plain">Its bytes.</param>
    /// <param name="location">Where it will be.</param>
    /// <param name="checksum">The frame's checksum, by which the page table recognizes it.</param>
    /// <returns>False, with nothing written, when the pack is too full.</returns>
    public bool TryAppendPage(long page, ReadOnlySpan<byte> plain, out FrameLocation location, out ulong checksum)
    {
        location = default;
        checksum = 0;
        if (!HasRoom(plain.Length))
            return false;

        Span<byte> frame = Buffer.GetSpan().Slice(_length, FrameFormat.HeaderSize + plain.Length);
        plain.CopyTo(frame[FrameFormat.HeaderSize..]);
        checksum = Seal(frame, FrameKind.Page, Codec.None, (ulong)page, plain.Length, out location);
        return true;
    }

    /// <summary>Copies a frame as it is, from another pack.</summary>
    /// <returns>False, with nothing written, when the pack is too full.</returns>
    public bool TryAppendFrame(ReadOnlySpan<byte> frame, out FrameLocation location)
    {
        location = default;
        if (!HasRoom(frame.Length - FrameFormat.HeaderSize))
            return false;
        frame.CopyTo(Buffer.GetSpan()[_length..]);
        location = Advance(frame.Length);
        return true;
    }

    /// <summary>Writes index and footer.</summary>
    /// <returns>The finished object.</returns>
    public ReadOnlyMemory<byte> Finish()
    {
        Span<byte> pack = Buffer.GetSpan();
        int index = _length;
        for (int frame = PackFormat.HeaderSize; frame < index;)
        {
            ReadOnlySpan<byte> header = pack.Slice(frame, FrameFormat.HeaderSize);
            header.CopyTo(pack[_length..]);
            _length += FrameFormat.HeaderSize;
            frame += FrameFormat.HeaderSize + BinaryPrimitives.ReadInt32LittleEndian(header[FrameFormat.StoredLength..]);
        }

        Span<byte> footer = pack.Slice(_length, PackFormat.FooterSize);
        footer.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(footer[PackFormat.Footer.IndexOffset..], index);
        BinaryPrimitives.WriteInt32LittleEndian(footer[PackFormat.Footer.FrameCount..], _frameCount);
        BinaryPrimitives.WriteUInt64LittleEndian(footer[PackFormat.Footer.IndexChecksum..], XxHash3.HashToUInt64(pack[index.._length]));
        PackFormat.EndMagic.CopyTo(footer[PackFormat.Footer.EndMagic..]);
        BinaryPrimitives.WriteUInt64LittleEndian(
            footer[PackFormat.Footer.Checksum..], XxHash3.HashToUInt64(footer[..PackFormat.Footer.Checksum]));
        _length += PackFormat.FooterSize;
        return Buffer.Memory[.._length];
    }

    private bool HasRoom(int payload) =>
        Buffer.GetSpan().Length - _length >= FrameFormat.HeaderSize + payload + ((_frameCount + 1) * FrameFormat.HeaderSize) + PackFormat.FooterSize;

    private ulong Seal(Span<byte> frame, FrameKind kind, Codec codec, ulong number, int plainLength, out FrameLocation location)
    {
        ulong checksum = FrameHeader.Seal(frame, kind, codec, number, plainLength);
        location = Advance(frame.Length);
        return checksum;
    }

    private FrameLocation Advance(int length)
    {
        var location = new FrameLocation(_id.BackupOrdinal, _id.Sequence, (uint)_length, (uint)length);
        _length += length;
        _frameCount++;
        return location;
    }
}
