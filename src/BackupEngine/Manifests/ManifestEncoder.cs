using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Volumes;

namespace BackupEngine.Manifests;

/// <summary>Writes manifests; docs/format.md "Manifest".</summary>
internal static class ManifestEncoder
{
    private const int PackEntryMaxLength = 4 * VarInt.MaxLength;

    /// <summary>Entries of the page table that room is made for at once.</summary>
    private const int PageBatch = 256;

    /// <summary>Encodes a manifest.</summary>
    /// <param name="maxLength">The longest that is read again.</param>
    /// <exception cref="VolumeException">It would be longer.</exception>
    public static byte[] Encode(Manifest manifest, long maxLength = ManifestFormat.MaxManifestSize)
    {
        byte[] volumeId = Encoding.UTF8.GetBytes(manifest.VolumeId);
        var packs = new ArrayBufferWriter<byte>();
        WritePackTable(packs, manifest.Packs);
        var pages = new ArrayBufferWriter<byte>();
        WritePageTable(pages, manifest, maxLength);

        bool isKeyed = GetVersion(manifest.Hasher.Algorithm) == FormatVersion.KeyedHash;
        int headerSize = isKeyed ? ManifestFormat.KeyedHeaderSize : ManifestFormat.HeaderSize;
        long length = headerSize + volumeId.Length + (manifest.Backups.Count * 16L)
            + packs.WrittenCount + pages.WrittenCount + ManifestFormat.FooterSize;
        ThrowIfLonger(manifest, length, maxLength);
        byte[] bytes = new byte[length];
        WriteHeader(bytes.AsSpan(0, headerSize), manifest, volumeId.Length, packs.WrittenCount, pages.WrittenCount);
        Span<byte> rest = bytes.AsSpan(headerSize);
        volumeId.CopyTo(rest);
        rest = rest[volumeId.Length..];
        foreach (Guid backup in manifest.Backups)
        {
            backup.TryWriteBytes(rest, bigEndian: true, out int written);
            rest = rest[written..];
        }

        packs.WrittenSpan.CopyTo(rest);
        rest = rest[packs.WrittenCount..];
        pages.WrittenSpan.CopyTo(rest);
        WriteFooter(bytes, rest[pages.WrittenCount..]);
        return bytes;
    }

    /// <summary>Gets the version of the manifests of a chain. Chains without a long key stay in version 1, which older engines read.</summary>
    public static int GetVersion(ChunkHash hash) => ChainKey.GetLength(hash) == ChainKey.Length ? FormatVersion.KeyedHash : 1;

    private static void WriteHeader(Span<byte> header, Manifest manifest, int volumeIdLength, int packsLength, int pagesLength)
    {
        ManifestFormat.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[ManifestFormat.Header.Version..], (ushort)GetVersion(manifest.Hasher.Algorithm));
        BinaryPrimitives.WriteUInt16LittleEndian(header[ManifestFormat.Header.Size..], (ushort)header.Length);
        manifest.BackupId.TryWriteBytes(header[ManifestFormat.Header.BackupId..], bigEndian: true, out _);
        manifest.ParentId.GetValueOrDefault().TryWriteBytes(header[ManifestFormat.Header.ParentId..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(header[ManifestFormat.Header.VolumeSize..], manifest.Geometry.SizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[ManifestFormat.Header.ChunkSize..], manifest.Geometry.ChunkSize);
        header[ManifestFormat.Header.Hash] = (byte)manifest.Hasher.Algorithm;
        header[ManifestFormat.Header.DigestLength] = (byte)manifest.Hasher.DigestLength;
        if (header.Length == ManifestFormat.KeyedHeaderSize)
            manifest.Hasher.Key.CopyTo(header[ManifestFormat.Header.Key..]);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(header[ManifestFormat.Header.Seed..], manifest.Hasher.Key.Seed);
        BinaryPrimitives.WriteInt32LittleEndian(header[ManifestFormat.Header.BackupCount..], manifest.Backups.Count);
        BinaryPrimitives.WriteInt32LittleEndian(header[ManifestFormat.Header.PackCount..], manifest.Packs.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[ManifestFormat.Header.PackTableLength..], packsLength);
        BinaryPrimitives.WriteInt64LittleEndian(header[ManifestFormat.Header.PageTableLength..], pagesLength);
        BinaryPrimitives.WriteInt32LittleEndian(header[ManifestFormat.Header.VolumeIdLength..], volumeIdLength);
    }

    private static void WriteFooter(byte[] manifest, Span<byte> footer)
    {
        BinaryPrimitives.WriteInt64LittleEndian(footer[ManifestFormat.Footer.TotalLength..], manifest.Length);
        ManifestFormat.EndMagic.CopyTo(footer[ManifestFormat.Footer.EndMagic..]);
        int digestOffset = manifest.Length - ManifestFormat.FooterSize + ManifestFormat.Footer.Sha256;
        SHA256.HashData(manifest.AsSpan(0, digestOffset), manifest.AsSpan(digestOffset));
    }

    private static void WritePackTable(ArrayBufferWriter<byte> output, PackTable packs)
    {
        foreach ((Packing.PackId pack, PackUse use) in packs.Packs)
        {
            Span<byte> entry = output.GetSpan(PackEntryMaxLength);
            int length = VarInt.Write(entry, pack.BackupOrdinal);
            length += VarInt.Write(entry[length..], pack.Sequence);
            length += VarInt.Write(entry[length..], (ulong)use.SizeBytes);
            length += VarInt.Write(entry[length..], (ulong)use.UsedBytes);
            output.Advance(length);
        }
    }

    /// <summary>Counts in what was written; the coding's state goes on.</summary>
    private static MapCodec.Writer Advance(ArrayBufferWriter<byte> output, MapCodec.Writer writer, int room)
    {
        output.Advance(writer.Length);
        return writer.ContinueOn(output.GetSpan(room));
    }

    private static void WritePageTable(ArrayBufferWriter<byte> output, Manifest manifest, long maxLength)
    {
        PageTable pages = manifest.Pages;
        int room = MapCodec.GetMaxLength(PageBatch) + (2 * VarInt.MaxLength);
        var writer = new MapCodec.Writer(output.GetSpan(room), PageFormat.PageDigestLength);
        long page = 0;
        for (long first = pages.FindMapped(0); first < pages.PageCount; first = pages.FindMapped(page))
        {
            if (first > page)
                writer.WriteZeros(first - page);
            for (page = first + 1; page < pages.PageCount && !pages[page].IsZero;)
                page++;
            writer.BeginRun(page - first);
            for (long index = first; index < page; index++)
            {
                writer.WriteEntry(pages[index].Location, pages[index].Digest);
                if ((index - first) % PageBatch != PageBatch - 1)
                    continue;
                writer = Advance(output, writer, room);
                ThrowIfLonger(manifest, output.WrittenCount, maxLength);
            }

            writer = Advance(output, writer, room);
            ThrowIfLonger(manifest, output.WrittenCount, maxLength);
        }
    }

    private static void ThrowIfLonger(Manifest manifest, long length, long maxLength)
    {
        if (length > maxLength)
            throw new VolumeException(manifest.VolumeId, $"volume {manifest.VolumeId} has too many chunks of {manifest.Geometry.ChunkSize} bytes: its manifest would be longer than {maxLength} bytes, and could not be read again. Make a full backup with larger chunks.");
    }
}
