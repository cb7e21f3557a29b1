namespace BackupEngine.Limits;

/// <summary>What an operation asks of the workers and the memory that all share.</summary>
internal sealed record ResourceRequest
{
    public required OperationPriority Priority { get; init; }

    /// <summary>Workers that it would like to have; it can do with one.</summary>
    public required int Workers { get; init; }

    /// <summary>Bytes that it would like to have; less than it needs does no harm.</summary>
    public required long MaxBytes { get; init; }

    /// <summary>Bytes that it needs however many workers it has.</summary>
    public required long FixedBytes { get; init; }

    /// <summary>Bytes that it needs for each worker.</summary>
    public required long WorkerBytes { get; init; }

    /// <summary>The least that it can run with.</summary>
    public long MinBytes => FixedBytes + WorkerBytes;

    /// <summary>How many of its workers so much memory is enough for; 0 when it cannot run.</summary>
    public int GetWorkers(long bytes) => (int)Math.Clamp((bytes - FixedBytes) / WorkerBytes, 0, Workers);
}
