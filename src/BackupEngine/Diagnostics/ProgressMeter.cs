using System.Diagnostics;

namespace BackupEngine.Diagnostics;

/// <summary>Adds up what many workers do, and reports it a few times a second.</summary>
/// <param name="progress">Who is told; null for nobody.</param>
/// <param name="totalBytes">Bytes to deal with.</param>
internal sealed class ProgressMeter(IProgress<BackupProgress>? progress, long totalBytes)
{
    private static readonly long Interval = Stopwatch.Frequency / 5;
    private long _lastReport = Stopwatch.GetTimestamp() - Interval;
    private long _done;
    private long _read;
    private long _changed;
    private long _stored;

    public long BytesRead => Interlocked.Read(ref _read);

    public long BytesChanged => Interlocked.Read(ref _changed);

    public long BytesStored => Interlocked.Read(ref _stored);

    public void AddRead(long bytes) => Interlocked.Add(ref _read, bytes);

    public void AddChanged(long bytes) => Interlocked.Add(ref _changed, bytes);

    public void AddStored(long bytes) => Interlocked.Add(ref _stored, bytes);

    /// <summary>Counts bytes as dealt with.</summary>
    public void AddDone(long bytes)
    {
        Interlocked.Add(ref _done, bytes);
        ReportIfDue();
    }

    /// <summary>Says up to where a walk in order has come; going back is ignored.</summary>
    public void AdvanceTo(long position)
    {
        long current = Interlocked.Read(ref _done);
        while (position > current)
        {
            long seen = Interlocked.CompareExchange(ref _done, position, current);
            if (seen == current)
                break;
            current = seen;
        }

        ReportIfDue();
    }

    /// <summary>Reports that all is done.</summary>
    public void Finish()
    {
        Interlocked.Exchange(ref _done, totalBytes);
        Report();
    }

    private void ReportIfDue()
    {
        if (progress is null)
            return;
        long now = Stopwatch.GetTimestamp();
        long last = Interlocked.Read(ref _lastReport);
        if (now - last >= Interval && Interlocked.CompareExchange(ref _lastReport, now, last) == last)
            Report();
    }

    private void Report() =>
        progress?.Report(new BackupProgress(Math.Min(Interlocked.Read(ref _done), totalBytes), totalBytes, BytesRead, BytesChanged, BytesStored));
}
