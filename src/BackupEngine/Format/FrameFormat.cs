namespace BackupEngine.Format;

/// <summary>Offsets and sizes in a frame's header; little-endian, docs/format.md "Frame".</summary>
internal static class FrameFormat
{
    public const int HeaderSize = 32;

    /// <summary>XXH3-64 of the rest of the header and the stored bytes.</summary>
    public const int Checksum = 0;

    public const int Magic = 8;
    public const int Kind = 12;
    public const int Codec = 13;
    public const int Number = 16;
    public const int StoredLength = 24;
    public const int PlainLength = 28;

    /// <summary>"BKFR" in the order of the bytes.</summary>
    public const uint MagicValue = 0x52464B42;
}
