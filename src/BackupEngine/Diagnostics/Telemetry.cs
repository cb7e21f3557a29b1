using System.Diagnostics;
using System.Diagnostics.Metrics;
using BackupEngine.Buffers;

namespace BackupEngine.Diagnostics;

/// <summary>All that the engine measures and traces, under the one name <c>BackupEngine</c>; docs/telemetry.md lists it, and names do not change.</summary>
internal static class Telemetry
{
    public const string Name = "BackupEngine";

    public const string OperationTag = "backup_engine.operation";
    public const string OutcomeTag = "backup_engine.outcome";
    public const string ErrorTag = "error.type";
    public const string ChunkTag = "backup_engine.chunk.outcome";
    public const string CallTag = "backup_engine.object_store.call";
    public const string ResultTag = "backup_engine.object_store.result";

    public static readonly ActivitySource Activities = new(Name, EngineVersion.Current);

    public static readonly Meter Meter = new(Name, EngineVersion.Current);

    public static readonly UpDownCounter<int> RunningOperations = Meter.CreateUpDownCounter<int>(
        "backup_engine.operations.running", "{operation}", "Operations that have begun and not ended, those that wait among them.");

    public static readonly UpDownCounter<int> WaitingOperations = Meter.CreateUpDownCounter<int>(
        "backup_engine.operations.waiting", "{operation}", "Operations that wait for their share of workers and memory.");

    public static readonly Histogram<double> OperationDuration = Meter.CreateHistogram<double>(
        "backup_engine.operation.duration", "s", "How long operations took.",
        advice: new() { HistogramBucketBoundaries = [1, 5, 10, 30, 60, 300, 900, 3600, 14400, 43200] });

    public static readonly Counter<long> VolumeRead = Meter.CreateCounter<long>(
        "backup_engine.volume.read", "By", "Bytes read from volumes: by backups, and by restores that compare.");

    public static readonly Counter<long> VolumeChanged = Meter.CreateCounter<long>(
        "backup_engine.volume.changed", "By", "Bytes that backups found to differ from the parent.");

    public static readonly Counter<long> VolumeStored = Meter.CreateCounter<long>(
        "backup_engine.volume.stored", "By", "Bytes of packs and manifests that backups stored.");

    public static readonly Counter<long> VolumeWritten = Meter.CreateCounter<long>(
        "backup_engine.volume.written", "By", "Bytes of data that restores wrote.");

    public static readonly Counter<long> VolumeZeroed = Meter.CreateCounter<long>(
        "backup_engine.volume.zeroed", "By", "Bytes that restores made zero.");

    public static readonly Counter<long> Chunks = Meter.CreateCounter<long>(
        "backup_engine.chunks", "{chunk}", "Chunks of volumes that backups dealt with, by what became of them.");

    public static readonly Histogram<double> StoreCallDuration = Meter.CreateHistogram<double>(
        "backup_engine.object_store.call.duration", "s", "How long calls to the object store took, without waiting for bandwidth.",
        advice: new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] });

    public static readonly Counter<long> StoreSent = Meter.CreateCounter<long>(
        "backup_engine.object_store.sent", "By", "Bytes of objects that were stored.");

    public static readonly Counter<long> StoreReceived = Meter.CreateCounter<long>(
        "backup_engine.object_store.received", "By", "Bytes of objects that were read.");

    /// <summary>Held by the meter, which asks it when somebody listens.</summary>
    public static readonly ObservableUpDownCounter<long> BufferBytes = Meter.CreateObservableUpDownCounter(
        "backup_engine.buffers.allocated", () => BufferAccount.Process.Bytes, "By", "Native memory that the engine holds for buffers.");
}
