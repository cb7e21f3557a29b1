namespace BackupEngine.Diagnostics;

/// <summary>What one operation took of what operations share.</summary>
public sealed record OperationStatistics
{
    /// <summary>Calls that it made to the store.</summary>
    public required RequestCounts Requests { get; init; }

    /// <summary>The most native memory for buffers that it held at once, in bytes.</summary>
    public required long PeakBufferBytes { get; init; }

    /// <summary>How long it waited for its share of <see cref="RepositoryOptions.Limits"/>, in seconds; the duration of its result has it in it.</summary>
    public required double WaitedSeconds { get; init; }
}
