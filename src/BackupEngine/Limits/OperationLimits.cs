using BackupEngine.Buffers;

namespace BackupEngine.Limits;

/// <summary>
/// Limits that any number of operations share, of one repository or of many: give the same object to all in <see cref="RepositoryOptions.Limits"/>. A backup, restore or deep
/// verification takes its share of workers and memory before it begins, or waits for it, by <see cref="OperationPriority"/> and then in turn.
/// </summary>
public sealed class OperationLimits
{
    /// <summary>Makes limits.</summary>
    /// <param name="options">What they are.</param>
    /// <param name="timeProvider">The clock of rates. Null: the system's.</param>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    public OperationLimits(OperationLimitOptions options, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check(nameof(options));
        Options = options;
        Budget = new ResourceBudget(options.MaxMemoryBytes ?? long.MaxValue, options.MaxWorkers ?? int.MaxValue);
        Read = Create(options.ReadBytesPerSecond);
        Upload = Create(options.UploadBytesPerSecond);
        Download = Create(options.DownloadBytesPerSecond);

        RateLimit? Create(long? rate) => rate is { } bytesPerSecond ? new RateLimit(bytesPerSecond, timeProvider ?? TimeProvider.System) : null;
    }

    /// <summary>What the limits are.</summary>
    public OperationLimitOptions Options { get; }

    /// <summary>Operations that wait for their share.</summary>
    public int WaitingOperations => Budget.WaitingCount;

    /// <summary>Native memory that operations hold for buffers now, in bytes.</summary>
    public long BufferBytes => Buffers.Bytes;

    /// <summary>The most native memory that operations ever held for buffers at once, in bytes.</summary>
    public long PeakBufferBytes => Buffers.PeakBytes;

    internal ResourceBudget Budget { get; }

    internal BufferAccount Buffers { get; } = new(BufferAccount.Process);

    internal RateLimit? Read { get; }

    internal RateLimit? Upload { get; }

    internal RateLimit? Download { get; }
}
