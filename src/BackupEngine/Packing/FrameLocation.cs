namespace BackupEngine.Packing;

/// <summary>Where a frame is: in which pack of which backup of the chain, and there from where to where. The default value is no frame: zeros.</summary>
/// <param name="BackupOrdinal">Index in the chain's backup table of the backup that wrote the pack.</param>
/// <param name="PackSequence">Which of that backup's packs.</param>
/// <param name="Offset">First byte of the frame's header in the pack.</param>
/// <param name="Length">Bytes of header and stored bytes.</param>
internal readonly record struct FrameLocation(uint BackupOrdinal, uint PackSequence, uint Offset, uint Length)
{
    public bool IsZero => Length == 0;

    public PackId Pack => new(BackupOrdinal, PackSequence);

    /// <summary>The byte after the frame.</summary>
    public long End => (long)Offset + Length;
}

/// <summary>A pack of a chain.</summary>
/// <param name="BackupOrdinal">Index in the chain's backup table of the backup that wrote it.</param>
/// <param name="Sequence">Which of that backup's packs.</param>
internal readonly record struct PackId(uint BackupOrdinal, uint Sequence);
