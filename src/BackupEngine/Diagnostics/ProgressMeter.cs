using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Diagnostics;

/// <summary>Adds up what many workers do, and reports it a few times a second.</summary>
/// <param name="progress">Who is told; null for nobody.</param>
/// <param name="totalBytes">Bytes to deal with.</param>
/// <param name="isBackup">Whether what is added up is a backup's: then the meter of the process counts it, too.</param>
internal sealed class ProgressMeter(IProgress<BackupProgress>? progress, long totalBytes, bool isBackup = false)
{
    private static readonly long _interval = Stopwatch.Frequency / 5;
    private long _lastReport = Stopwatch.GetTimestamp() - _interval;
    private long _done;
    private long _read;
    private long _changed;
    private long _stored;
    private long _chunks;

    public long BytesRead => Interlocked.Read(ref _read);

    public long BytesChanged => Interlocked.Read(ref _changed);

    public long BytesStored => Interlocked.Read(ref _stored);

    public void AddRead(long bytes)
    {
        Interlocked.Add(ref _read, bytes);
        if (isBackup)
            Telemetry.VolumeRead.Add(bytes);
    }

    public void AddChanged(long bytes)
    {
        Interlocked.Add(ref _changed, bytes);
        if (isBackup)
            Telemetry.VolumeChanged.Add(bytes);
    }

    public void AddStored(long bytes)
    {
        Interlocked.Add(ref _stored, bytes);
        if (isBackup)
            Telemetry.VolumeStored.Add(bytes);
    }

    /// <summary>Counts the chunks of a page by what became of them.</summary>
    public void AddChunks(int zero, int unchanged, int added, int repeated, int resumed)
    {
        Interlocked.Add(ref _chunks, zero + unchanged + added + repeated + resumed);
        if (!Telemetry.Chunks.Enabled)
            return;
        CountChunks(zero, "zero");
        CountChunks(unchanged, "unchanged");
        CountChunks(added, "new");
        CountChunks(repeated, "repeated");
        CountChunks(resumed, "resumed");
    }

    /// <summary>Counts the chunks that no worker needed to look at.</summary>
    /// <param name="all">All chunks of the volume.</param>
    /// <param name="areZero">Whether those not looked at are holes; otherwise they are known not to have changed.</param>
    public void AddSkippedChunks(long all, bool areZero) => CountChunks(all - Interlocked.Read(ref _chunks), areZero ? "zero" : "unchanged");

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

    /// <summary>Reports that all is done. By now the operation has succeeded, so an exception of the caller's callback is only logged.</summary>
    public void Finish(ILogger logger)
    {
        Interlocked.Exchange(ref _done, totalBytes);
        try
        {
            Report();
        }
        catch (Exception e)
        {
            logger.LastProgressFailed(e);
        }
    }

    private static void CountChunks(long count, string outcome)
    {
        if (count > 0)
            Telemetry.Chunks.Add(count, new KeyValuePair<string, object?>(Telemetry.ChunkTag, outcome));
    }

    private void ReportIfDue()
    {
        if (progress is null)
            return;
        long now = Stopwatch.GetTimestamp();
        long last = Interlocked.Read(ref _lastReport);
        if (now - last >= _interval && Interlocked.CompareExchange(ref _lastReport, now, last) == last)
            Report();
    }

    private void Report() =>
        progress?.Report(new BackupProgress(Math.Min(Interlocked.Read(ref _done), totalBytes), totalBytes, BytesRead, BytesChanged, BytesStored));
}
