namespace BackupEngine.Pipelines;

/// <summary>What a backup does with a chunk.</summary>
internal enum ChunkAction : byte
{
    /// <summary>The parent's entry holds: the chunk is known not to have changed.</summary>
    Keep,

    /// <summary>The chunk lies in a hole: it is zeros.</summary>
    Zero,

    /// <summary>The chunk is read and compared.</summary>
    Read,
}
