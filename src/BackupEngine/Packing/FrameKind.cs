namespace BackupEngine.Packing;

/// <summary>What a frame holds. The numbers are part of the storage format.</summary>
internal enum FrameKind : byte
{
    /// <summary>A chunk of the volume; its number is the chunk's.</summary>
    Chunk = 1,

    /// <summary>A page of the manifest; its number is the page's.</summary>
    Page = 2,
}
