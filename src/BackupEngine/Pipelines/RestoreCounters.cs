using BackupEngine.Diagnostics;

namespace BackupEngine.Pipelines;

/// <summary>What a restore has done so far; added to by all workers.</summary>
internal sealed class RestoreCounters(ProgressMeter meter)
{
    private long _compared;
    private long _written;
    private long _zeroed;

    public long BytesCompared => Interlocked.Read(ref _compared);

    public long BytesFetched => meter.BytesRead;

    public long BytesWritten => Interlocked.Read(ref _written);

    public long BytesZeroed => Interlocked.Read(ref _zeroed);

    public void AddFetched(long bytes) => meter.AddRead(bytes);

    public void AddCompared(long bytes)
    {
        Interlocked.Add(ref _compared, bytes);
        Telemetry.VolumeRead.Add(bytes);
    }

    public void AddWritten(long bytes)
    {
        Interlocked.Add(ref _written, bytes);
        Telemetry.VolumeWritten.Add(bytes);
        meter.AddChanged(bytes);
        meter.AddDone(bytes);
    }

    public void AddZeroed(long bytes)
    {
        Interlocked.Add(ref _zeroed, bytes);
        Telemetry.VolumeZeroed.Add(bytes);
        meter.AddChanged(bytes);
        meter.AddDone(bytes);
    }

    /// <summary>Counts bytes that the target already holds.</summary>
    public void AddKept(long bytes) => meter.AddDone(bytes);
}
