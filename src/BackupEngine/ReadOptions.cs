namespace BackupEngine;

/// <summary>How to read a backup as a stream.</summary>
public sealed record ReadOptions
{
    /// <summary>
    /// Gets what to do about damaged or missing data. With <see cref="DamagedData.Zero"/> it reads as zeros, also of a backup in error with a readable manifest;
    /// <see cref="DamagedData.Skip"/> is not possible, because a stream has no bytes of its own to leave. Default: <see cref="DamagedData.Fail"/>.
    /// </summary>
    public DamagedData Damaged { get; init; }

    /// <summary>
    /// Gets what is told each range that reads as zeros because it is lost, before those zeros are returned. A range that is read again may be told again. Concurrent calls of
    /// <see cref="BackupStream.ReadAtAsync"/> call it concurrently. An exception that it throws fails the read. Null: nothing is told.
    /// </summary>
    public Action<LostRange>? OnLost { get; init; }
}
