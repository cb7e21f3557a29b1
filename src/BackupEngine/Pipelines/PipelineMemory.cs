using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Limits;
using BackupEngine.Manifests;

namespace BackupEngine.Pipelines;

/// <summary>What the pipelines need of the memory that operations share, and what they make of their share. What they allocate must keep to it.</summary>
internal static class PipelineMemory
{
    /// <summary>A backup: packs (see BackupPipeline, at their shortest), the least of known frames, a segment for each worker, and windows of the parent's pages.</summary>
    public static ResourceRequest ForBackup(BackupOptions options, long volumeSize, int chunkSize, Backup? parent) => new()
    {
        Priority = options.Priority,
        Workers = options.Workers ?? Environment.ProcessorCount,
        MaxBytes = options.MaxMemoryBytes,
        FixedBytes = (2 * BackupPipeline.MinPackLength) + KnownFrames.MinBytes + (parent is null ? 0 : GetWindowBytes(Math.Max(volumeSize, parent.SizeBytes), chunkSize)),
        WorkerBytes = (2 * BackupPipeline.MinPackLength) + GetSegmentLength(chunkSize),
    };

    /// <summary>What is left of a backup's share for its packs and known frames.</summary>
    public static long GetPackBytes(ResourceRequest request, ResourceShare share) =>
        share.Bytes - request.FixedBytes - (share.Workers * request.WorkerBytes) + (2L * BackupPipeline.MinPackLength * (share.Workers + 1)) + KnownFrames.MinBytes;

    /// <summary>A restore: a range, a write buffer and, to compare, a segment for each worker, and windows of pages.</summary>
    public static ResourceRequest ForRestore(RestoreOptions options, Backup backup) => new()
    {
        Priority = options.Priority,
        Workers = options.Workers ?? RestorePipeline.DefaultWorkers,
        MaxBytes = options.MaxMemoryBytes,
        FixedBytes = GetWindowBytes(backup.SizeBytes, backup.ChunkSize) + (options.Differential ? GetSegmentLength(backup.ChunkSize) : 0),
        WorkerBytes = RestorePipeline.GetWorkerMemory(backup.ChunkSize) + (options.Differential ? GetSegmentLength(backup.ChunkSize) : 0),
    };

    /// <summary>A deep verification: a range and a chunk for each worker, and windows of the pages of two manifests.</summary>
    public static ResourceRequest ForVerify(VerifyOptions options, IReadOnlyList<Backup> backups)
    {
        int chunkSize = backups.Max(backup => (int?)backup.ChunkSize) ?? ChunkSizes.Default;
        var request = new ResourceRequest
        {
            Priority = options.Priority,
            Workers = options.Workers ?? DeepVerifier.DefaultWorkers,
            MaxBytes = 0,
            FixedBytes = 2 * (backups.Max(backup => (long?)GetWindowBytes(backup.SizeBytes, backup.ChunkSize)) ?? 0),
            WorkerBytes = ChunkFetcher.GetBufferLength(chunkSize, DeepVerifier.MaxRangeLength) + chunkSize,
        };
        return request with { MaxBytes = request.FixedBytes + (request.Workers * request.WorkerBytes) };
    }

    private static long GetSegmentLength(int chunkSize) => Math.Max(RegionWorker.SegmentSize, chunkSize);

    /// <summary>A record that cannot be read has no chunk size; it is refused later.</summary>
    private static long GetWindowBytes(long volumeSize, int chunkSize) =>
        PageReader.GetMaxBytes(new VolumeGeometry(volumeSize, Math.Max(chunkSize, ChunkSizes.Min)).PageCount, PageReader.WalkLookAhead);
}
