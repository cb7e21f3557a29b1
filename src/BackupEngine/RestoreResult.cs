using BackupEngine.Diagnostics;

namespace BackupEngine;

/// <summary>What a restore did.</summary>
public sealed record RestoreResult
{
    /// <summary>The backup that was restored.</summary>
    public required Guid BackupId { get; init; }

    /// <summary>Bytes of the volume that the target now holds.</summary>
    public required long BytesRestored { get; init; }

    /// <summary>Bytes read from the target, to find what differs.</summary>
    public required long BytesCompared { get; init; }

    /// <summary>Bytes fetched from the container.</summary>
    public required long BytesFetched { get; init; }

    /// <summary>Bytes of data written to the target.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>Bytes made zero in the target.</summary>
    public required long BytesZeroed { get; init; }

    /// <summary>Gets the ranges that could not be restored, in order of their offsets; empty unless <see cref="RestoreOptions.Damaged"/> allows it.</summary>
    public IReadOnlyList<LostRange> LostRanges { get; init; } = [];

    /// <summary>How long it took, in seconds.</summary>
    public required double DurationSeconds { get; init; }

    /// <summary>What it took of what operations share.</summary>
    public required OperationStatistics Statistics { get; init; }
}
