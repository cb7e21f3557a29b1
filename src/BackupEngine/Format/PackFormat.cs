namespace BackupEngine.Format;

/// <summary>Offsets and sizes in a pack; little-endian, docs/format.md "Pack".</summary>
internal static class PackFormat
{
    /// <summary>The version of a pack.</summary>
    public const int Version = 1;

    public const int HeaderSize = 64;
    public const int FooterSize = 40;

    /// <summary>The largest pack: offsets and lengths in it are 32-bit.</summary>
    public const int MaxPackSize = 1 << 30;

    /// <summary>The smallest pack that can be: a header, no frames, a footer.</summary>
    public const int MinPackSize = HeaderSize + FooterSize;

    public static ReadOnlySpan<byte> Magic => "BKENGPAK"u8;

    public static ReadOnlySpan<byte> EndMagic => "BKENGPKE"u8;

    /// <summary>Header: magic 8, version 2, header size 2, required features 4, backup id 16, sequence 4, zeros 20, XXH3-64 of all before 8.</summary>
    public static class Header
    {
        public const int Version = 8;
        public const int Size = 10;
        public const int RequiredFeatures = 12;
        public const int BackupId = 16;
        public const int Sequence = 32;
        public const int Checksum = 56;
    }

    /// <summary>Footer: index offset 8, frame count 4, zeros 4, XXH3-64 of the index 8, end magic 8, XXH3-64 of the footer before 8.</summary>
    public static class Footer
    {
        public const int IndexOffset = 0;
        public const int FrameCount = 8;
        public const int IndexChecksum = 16;
        public const int EndMagic = 24;
        public const int Checksum = 32;
    }
}
