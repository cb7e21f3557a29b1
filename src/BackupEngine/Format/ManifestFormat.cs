namespace BackupEngine.Format;

/// <summary>Offsets and sizes in a manifest; little-endian, docs/format.md "Manifest".</summary>
internal static class ManifestFormat
{
    /// <summary>The header of a manifest of version 1.</summary>
    public const int HeaderSize = 128;

    /// <summary>The header of a manifest of version 2: that of version 1 and the key.</summary>
    public const int KeyedHeaderSize = 160;

    public const int FooterSize = 48;

    /// <summary>More than any real manifest, less than an array holds: a size that is read is checked against it before memory is taken.</summary>
    public const int MaxManifestSize = 1 << 30;

    /// <summary>The most that the references of a manifest to one pack can add up to.</summary>
    public const ulong MaxUsedBytes = 1UL << 62;

    public static ReadOnlySpan<byte> Magic => "BKENGMAN"u8;

    public static ReadOnlySpan<byte> EndMagic => "BKENGMNE"u8;

    public static class Header
    {
        public const int Version = 8;
        public const int Size = 10;
        public const int RequiredFeatures = 12;
        public const int BackupId = 16;
        public const int ParentId = 32;
        public const int VolumeSize = 48;
        public const int ChunkSize = 56;
        public const int Hash = 60;
        public const int DigestLength = 61;
        public const int Seed = 64;
        public const int BackupCount = 72;
        public const int PackCount = 76;
        public const int PackTableLength = 80;
        public const int PageTableLength = 88;
        public const int VolumeIdLength = 96;
        public const int Key = 128;
    }

    /// <summary>Footer: total length 8, end magic 8, SHA-256 of all before the digest 32.</summary>
    public static class Footer
    {
        public const int TotalLength = 0;
        public const int EndMagic = 8;
        public const int Sha256 = 16;
    }
}
