using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>Reads manifests. Nothing in them is believed before it is checked: not a length, not a count, not a reference.</summary>
internal static class ManifestDecoder
{
    private const int GuidLength = 16;

    /// <summary>Reads a manifest.</summary>
    /// <param name="key">Where it is from, for messages.</param>
    /// <param name="bytes">The whole object.</param>
    /// <exception cref="CorruptionException">The bytes are not a manifest, or not as they were written.</exception>
    /// <exception cref="RepositoryException">A later version of the format, which this engine cannot read.</exception>
    public static Manifest Decode(string key, ReadOnlySpan<byte> bytes)
    {
        CheckFrame(key, bytes);
        int version = FormatGuard.Check(key, bytes[ManifestFormat.Header.Version..], bytes[ManifestFormat.Header.RequiredFeatures..]);
        int headerSize = version >= FormatVersion.KeyedHash ? ManifestFormat.KeyedHeaderSize : ManifestFormat.HeaderSize;
        if (bytes.Length < headerSize + ManifestFormat.FooterSize)
            throw new CorruptionException(key, null, "its sections do not fit");
        ReadOnlySpan<byte> header = bytes[..headerSize];

        var geometry = new VolumeGeometry(
            BinaryPrimitives.ReadInt64LittleEndian(header[ManifestFormat.Header.VolumeSize..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[ManifestFormat.Header.ChunkSize..]));
        ChunkHasher hasher = ReadHasher(key, header, version);
        long backupCount = BinaryPrimitives.ReadUInt32LittleEndian(header[ManifestFormat.Header.BackupCount..]);
        long packCount = BinaryPrimitives.ReadUInt32LittleEndian(header[ManifestFormat.Header.PackCount..]);
        long packsLength = BinaryPrimitives.ReadInt64LittleEndian(header[ManifestFormat.Header.PackTableLength..]);
        long pagesLength = BinaryPrimitives.ReadInt64LittleEndian(header[ManifestFormat.Header.PageTableLength..]);
        long volumeIdLength = BinaryPrimitives.ReadUInt32LittleEndian(header[ManifestFormat.Header.VolumeIdLength..]);

        if (!ChunkSizes.IsValid(geometry.ChunkSize) || !geometry.IsSupported)
            throw new CorruptionException(key, null, $"its volume size {geometry.SizeBytes} or chunk size {geometry.ChunkSize} cannot be");

        var sections = new SectionReader(key, bytes[headerSize..^ManifestFormat.FooterSize]);
        string volumeId = Encoding.UTF8.GetString(sections.Take(volumeIdLength));
        ReadOnlySpan<byte> backups = sections.Take(backupCount * GuidLength);
        ReadOnlySpan<byte> packs = sections.Take(packsLength);
        ReadOnlySpan<byte> pages = sections.Take(pagesLength);
        if (!sections.AtEnd || backupCount == 0 || !StoreKeys.IsValidVolumeId(volumeId))
            throw new CorruptionException(key, null, "its sections do not fit");

        Guid parentId = ReadGuid(header[ManifestFormat.Header.ParentId..]);
        return new Manifest
        {
            BackupId = ReadGuid(header[ManifestFormat.Header.BackupId..]),
            ParentId = parentId == Guid.Empty ? null : parentId,
            VolumeId = volumeId,
            Geometry = geometry,
            Hasher = hasher,
            Backups = ReadBackups(backups),
            Packs = ReadPacks(key, packs, packCount, backupCount),
            Pages = ReadPages(key, pages, geometry.PageCount, backupCount),
        };
    }

    private static void CheckFrame(string key, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < ManifestFormat.HeaderSize + ManifestFormat.FooterSize || !bytes.StartsWith(ManifestFormat.Magic))
            throw new CorruptionException(key, 0, "this is not a manifest");

        ReadOnlySpan<byte> footer = bytes[^ManifestFormat.FooterSize..];
        if (!footer[ManifestFormat.Footer.EndMagic..].StartsWith(ManifestFormat.EndMagic)
            || BinaryPrimitives.ReadInt64LittleEndian(footer) != bytes.Length)
            throw new CorruptionException(key, bytes.Length, "the manifest ends early");

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..^SHA256.HashSizeInBytes], digest);
        if (!digest.SequenceEqual(bytes[^SHA256.HashSizeInBytes..]))
            throw new CorruptionException(key, null, "the manifest does not match its SHA-256");
    }

    /// <exception cref="CorruptionException">The manifest names no hash, or one that does not fit its version.</exception>
    /// <exception cref="RepositoryException">This engine does not know the hash. The SHA-256 of the manifest was right, so a newer engine wrote it.</exception>
    private static ChunkHasher ReadHasher(string key, ReadOnlySpan<byte> header, int version)
    {
        var hash = (ChunkHash)header[ManifestFormat.Header.Hash];

        // No engine has a hash 0: an earlier version of this one stored it when a caller did not set the hash.
        if (hash == 0)
            throw new CorruptionException(key, ManifestFormat.Header.Hash, "the manifest names no hash");
        if (!ChunkHasher.IsKnown(hash))
            throw new RepositoryException($"{key} uses hash {header[ManifestFormat.Header.Hash]}, which this engine does not have. Use a newer engine.");
        if (header[ManifestFormat.Header.DigestLength] != ChunkHasher.GetDigestLength(hash) || version != ManifestEncoder.GetVersion(hash))
            throw new CorruptionException(key, null, $"its hash {header[ManifestFormat.Header.Hash]} does not fit its version {version} or its digests of {header[ManifestFormat.Header.DigestLength]} bytes");
        return version >= FormatVersion.KeyedHash
            ? new ChunkHasher(hash, ChainKey.FromBytes(header[ManifestFormat.Header.Key..]))
            : new ChunkHasher(hash, BinaryPrimitives.ReadUInt64LittleEndian(header[ManifestFormat.Header.Seed..]));
    }

    private static Guid ReadGuid(ReadOnlySpan<byte> bytes) => new(bytes[..GuidLength], bigEndian: true);

    private static Guid[] ReadBackups(ReadOnlySpan<byte> bytes)
    {
        var backups = new Guid[bytes.Length / GuidLength];
        for (int index = 0; index < backups.Length; index++)
            backups[index] = ReadGuid(bytes[(index * GuidLength)..]);
        return backups;
    }

    private static PackTable ReadPacks(string key, ReadOnlySpan<byte> bytes, long count, long backupCount)
    {
        var packs = new PackTable();
        for (long index = 0; index < count; index++)
        {
            if (!VarInt.TryRead(ref bytes, out ulong ordinal) || !VarInt.TryRead(ref bytes, out ulong sequence)
                || !VarInt.TryRead(ref bytes, out ulong size) || !VarInt.TryRead(ref bytes, out ulong used)
                || ordinal >= (ulong)backupCount || sequence > uint.MaxValue || size > PackFormat.MaxPackSize || used > ManifestFormat.MaxUsedBytes
                || packs.TryGet(new PackId((uint)ordinal, (uint)sequence), out _))
                throw new CorruptionException(key, null, "its pack table is damaged");
            packs.Add(new PackId((uint)ordinal, (uint)sequence), new PackUse((long)size, (long)used));
        }

        return bytes.IsEmpty ? packs : throw new CorruptionException(key, null, "its pack table is damaged");
    }

    private static PageTable ReadPages(string key, ReadOnlySpan<byte> bytes, long pageCount, long backupCount)
    {
        var pages = new PageTable(pageCount);
        var reader = new MapCodec.Reader(bytes, PageFormat.PageDigestLength);
        Span<byte> checksum = stackalloc byte[PageFormat.PageDigestLength];
        long page = 0;
        while (!reader.AtEnd)
        {
            if (!reader.TryReadRun(out bool isZeros, out long count) || count > pageCount - page)
                throw new CorruptionException(key, null, "its page table is damaged");
            if (isZeros)
            {
                page += count;
                continue;
            }

            for (; count > 0; count--, page++)
            {
                if (!reader.TryReadEntry(out FrameLocation location, out ChunkDigest digest) || location.BackupOrdinal >= backupCount
                    || location.Length > PageFormat.MaxPageLength + FrameFormat.HeaderSize)
                    throw new CorruptionException(key, null, "its page table is damaged");
                digest.CopyTo(checksum);
                pages[page] = new PageEntry(location, BinaryPrimitives.ReadUInt64LittleEndian(checksum));
            }
        }

        return pages;
    }

    private ref struct SectionReader(string key, ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public readonly bool AtEnd => _rest.IsEmpty;

        public ReadOnlySpan<byte> Take(long length)
        {
            if (length < 0 || length > _rest.Length)
                throw new CorruptionException(key, null, "its sections do not fit");
            ReadOnlySpan<byte> section = _rest[..(int)length];
            _rest = _rest[(int)length..];
            return section;
        }
    }
}
