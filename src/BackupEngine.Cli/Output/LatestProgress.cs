using Spectre.Console;

namespace BackupEngine.Cli.Output;

/// <summary>Keeps the last report of an operation, for whoever draws next.</summary>
internal sealed class LatestProgress(TimeProvider time) : IProgress<BackupProgress>
{
    private readonly Lock _lock = new();
    private readonly long _started = time.GetTimestamp();
    private BackupProgress _latest;

    /// <summary>The bar to move along.</summary>
    public ProgressTask? Shown { get; set; }

    public void Report(BackupProgress value)
    {
        lock (_lock)
        {
            // Workers report beside each other: an older report may come later.
            if (value.BytesDone < _latest.BytesDone)
                return;
            _latest = value;
            if (Shown is { } task)
                task.Value = value.BytesTotal == 0 ? 1 : (double)value.BytesDone / value.BytesTotal;
        }
    }

    /// <summary>Such as <c>1.2 GiB of 4.0 GiB, 512.0 MiB/s, 6 s left</c>.</summary>
    public string Describe()
    {
        BackupProgress latest;
        lock (_lock)
            latest = _latest;

        if (latest.BytesTotal == 0)
            return "";
        double seconds = time.GetElapsedTime(_started).TotalSeconds;
        string done = $"{ByteText.Of(latest.BytesDone)} of {ByteText.Of(latest.BytesTotal)}, {ByteText.Rate(latest.BytesDone, seconds)}";
        if (latest.BytesDone == 0)
            return done;

        double left = Math.Ceiling(seconds * (latest.BytesTotal - latest.BytesDone) / latest.BytesDone);
        return $"{done}, {(left < 60 ? $"{left:0} s" : ByteText.Duration(left))} left";
    }
}
