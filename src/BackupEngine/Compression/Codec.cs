namespace BackupEngine.Compression;

/// <summary>How the bytes of a frame are encoded. The numbers are part of the storage format.</summary>
internal enum Codec : byte
{
    None = 0,
    Lz4 = 1,
    Zstd = 2,
}
