namespace BackupEngine;

/// <summary>Specifies what to do about data of a backup that is damaged or missing.</summary>
public enum DamagedData
{
    /// <summary>The operation fails at the first damaged chunk.</summary>
    Fail,

    /// <summary>Damaged ranges are left as they are in the target; everything else is restored.</summary>
    Skip,

    /// <summary>Damaged ranges become zeros; everything else is restored.</summary>
    Zero,
}

/// <summary>A range of a volume that a backup does not hold any more.</summary>
/// <param name="Offset">The first byte of the volume that is lost.</param>
/// <param name="Length">The number of bytes that are lost.</param>
/// <param name="Key">The object that is damaged or missing.</param>
/// <param name="Problem">What is wrong with the object.</param>
public sealed record LostRange(long Offset, long Length, string Key, string Problem);
