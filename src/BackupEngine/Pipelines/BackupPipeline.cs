using BackupEngine.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>What a backup pipeline is to do, with everything decided.</summary>
internal sealed record BackupPlan
{
    public required Guid BackupId { get; init; }

    /// <summary>The volume under whose prefix the chain's packs lie.</summary>
    public required string DataVolumeId { get; init; }

    public required VolumeGeometry Geometry { get; init; }

    public required ChunkHasher Hasher { get; init; }

    public required ChunkCompression Compression { get; init; }

    /// <summary>The parent's manifest; null for a full.</summary>
    public required Manifest? Parent { get; init; }

    /// <summary>Packs of the parent that are damaged: whatever is in them is stored anew. Then nothing is said about what changed, because everything must be read.</summary>
    public required IReadOnlySet<PackId> DamagedPacks { get; init; }

    /// <summary>All that may have changed: sorted, disjoint, on chunk boundaries. Null: anything.</summary>
    public required IReadOnlyList<VolumeExtent>? ChangedExtents { get; init; }

    /// <summary>Backups that were cut off, and are this one's alone now: what they stored is used again.</summary>
    public required IReadOnlyList<Guid> Resumed { get; init; }

    public required int Workers { get; init; }

    public required long MaxMemoryBytes { get; init; }

    /// <summary>Whether that is a share of what operations share, which must be kept to; otherwise many workers take more.</summary>
    public bool IsShare { get; init; }
}

/// <summary>
/// The way in of a byte: workers take regions of the volume from a shared source, and each does all there is to do with the chunks of its region
/// (<see cref="RegionWorker"/>); what is new gathers in packs, which are sent off while the workers go on (<see cref="PackUploader"/>); pages
/// of the manifest follow as regions finish (<see cref="ManifestBuilder"/>). When this returns, all packs are stored; manifest and record are not.
/// </summary>
internal sealed class BackupPipeline(IObjectStore store, IVolume volume, BackupPlan plan, ProgressMeter meter)
{
    internal const int MaxPackLength = 32 << 20;

    /// <summary>The smallest pack worth its request; and a pack must hold a chunk of the largest size.</summary>
    internal const int MinPackLength = 5 << 20;

    private PackUploader? _uploader;

    private int PackCount => plan.Workers + 1 + Math.Max(2, plan.Workers);

    /// <summary>Keys of all packs that may have been stored, for cleaning up after a failure.</summary>
    public IReadOnlyList<string> PackKeys => _uploader?.Keys ?? [];

    /// <summary>Reads the volume and stores what is new.</summary>
    /// <returns>The manifest, not yet stored.</returns>
    public async Task<Manifest> RunAsync(CancellationToken cancellationToken)
    {
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var known = new KnownFrames(GetKnownBytes(), plan.Geometry.ChunkCount, keepsFirst: plan.Resumed.Count > 0);
        using BufferPool buffers = CreateBuffers(plan.MaxMemoryBytes - known.SizeBytes);
        Manifest own = ManifestBuilder.Begin(plan.Parent, plan.Resumed, plan.BackupId, plan.DataVolumeId, plan.Geometry, plan.Hasher);
        var uploader = _uploader = new PackUploader(store, buffers, plan.DataVolumeId, plan.BackupId, own.Ordinal, meter, abort);
        using var regions = new RegionSource(volume, plan.Geometry, plan.Parent?.Pages, plan.ChangedExtents);
        PageReader? parentPages = plan.Parent is null
            ? null
            : new PageReader(store, plan.Parent, plan.ChangedExtents is null ? PageReader.WalkLookAhead : PageReader.SingleLookAhead);
        try
        {
            using var manifest = new ManifestBuilder(plan.Parent, own, uploader, await ResumedFrames.ReadAsync(store, plan, own, known, abort.Token).ConfigureAwait(false));
            if (parentPages is not null)
                await manifest.ReleasePastEndAsync(parentPages, abort.Token).ConfigureAwait(false);
            await RunWorkersAsync(regions, parentPages, known, manifest, uploader, abort, cancellationToken).ConfigureAwait(false);
            meter.AddSkippedChunks(plan.Geometry.ChunkCount, areZero: plan.ChangedExtents is null);
            if (parentPages is not null)
                await manifest.CompactAsync(parentPages, abort.Token).ConfigureAwait(false);
            manifest.Finish();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The workers only noticed that an upload failed; what it failed of is what the caller must know.
            await uploader.WaitAsync().ConfigureAwait(false);
            uploader.ThrowIfFailed();
            throw;
        }
        finally
        {
            // Buffers of uploads under way must not be freed, whatever happened.
            await uploader.WaitAsync().ConfigureAwait(false);
        }

        cancellationToken.ThrowIfCancellationRequested();
        uploader.ThrowIfFailed();
        return own;
    }

    private Task RunWorkersAsync(
        RegionSource regions, PageReader? parentPages, KnownFrames known, ManifestBuilder manifest, PackUploader uploader, CancellationTokenSource abort, CancellationToken cancellationToken)
    {
        async Task WorkAsync()
        {
            using var worker = new RegionWorker(volume, plan, regions, parentPages, known, manifest, uploader, meter);
            await worker.RunAsync(abort.Token).ConfigureAwait(false);
        }

        Task[] workers = [.. Enumerable.Range(0, plan.Workers).Select(_ => Task.Run(WorkAsync, CancellationToken.None))];
        return WorkerGroup.RunAsync(abort, workers, cancellationToken);
    }

    /// <summary>
    /// Every worker has a pack open, one more takes the pages, and as many as there are workers (but two at least) are on their way.
    /// The memory that is allowed decides how long they may be.
    /// </summary>
    private BufferPool CreateBuffers(long maxBytes)
    {
        long length = Math.Clamp(maxBytes / PackCount, MinPackLength, MaxPackLength);
        int needed = plan.Geometry.ChunkSize + (plan.Geometry.ChunkSize / 128) + PackFormat.MinPackSize + (2 * FrameFormat.HeaderSize) + 1024;
        return new BufferPool((int)Math.Max(length, needed), PackCount);
    }

    /// <summary>A quarter of the memory, or half where much is known from the start; of a share, no more than the shortest packs leave.</summary>
    private long GetKnownBytes()
    {
        long wanted = plan.MaxMemoryBytes / (plan.Resumed.Count == 0 ? 4 : 2);
        long left = plan.IsShare ? plan.MaxMemoryBytes - ((long)PackCount * MinPackLength) : wanted;
        return Math.Max(KnownFrames.MinBytes, Math.Min(wanted, left));
    }
}
