namespace BackupEngine.Buffers;

/// <summary>Counts the native memory that is held on somebody's account, and on the accounts above: an operation's, those of all that share its limits, the process's.</summary>
internal sealed class BufferAccount(BufferAccount? parent)
{
    private static readonly AsyncLocal<BufferAccount?> _current = new();
    private long _bytes;
    private long _peakBytes;

    /// <summary>All of the process.</summary>
    public static BufferAccount Process { get; } = new(null);

    /// <summary>Whose account new buffers go to: flows with the asynchronous call, to workers too.</summary>
    public static BufferAccount Current
    {
        get => _current.Value ?? Process;
        set => _current.Value = value;
    }

    public long Bytes => Interlocked.Read(ref _bytes);

    public long PeakBytes => Interlocked.Read(ref _peakBytes);

    /// <summary>Counts memory in, or out when negative.</summary>
    public void Add(long bytes)
    {
        long now = Interlocked.Add(ref _bytes, bytes);
        for (long peak = PeakBytes; now > peak;)
        {
            long seen = Interlocked.CompareExchange(ref _peakBytes, now, peak);
            if (seen == peak)
                break;
            peak = seen;
        }

        parent?.Add(bytes);
    }
}
