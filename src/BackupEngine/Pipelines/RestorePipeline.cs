using System.Collections.Concurrent;
using System.Threading.Channels;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>
/// The way out of a byte: the manifest says for every chunk whether it is zeros or where its frame is, so one pass restores a volume however
/// long its chain. The planner walks the volume, gathers the wanted chunks of a stretch, sorts them by pack and cuts them into ranges;
/// workers fetch, decode, check and write. What is zero is made zero in the target, unless the target is new and known to be.
/// </summary>
internal sealed class RestorePipeline
{
    /// <summary>Pages planned together: 1 GiB of volume at 64 KiB chunks, so that the few frames which each backup of a chain adds are fetched in few ranges.</summary>
    private const int PagesPerBatch = 64;

    /// <summary>Zeros written between two looks at the cancellation token.</summary>
    private const long MaxZerosLength = 1L << 30;

    private const int MaxRangeLength = 2 << 20;

    private readonly Manifest _manifest;
    private readonly VolumeGeometry _geometry;
    private readonly IObjectStore _store;
    private readonly IWritableVolume _target;
    private readonly VolumeExtent _range;
    private readonly bool _isZeroed;
    private readonly DamagedData _damaged;
    private readonly LostRanges _lost;
    private readonly RestoreCounters _counters;
    private readonly TargetComparer? _comparer;
    private readonly PageReader _pages;
    private readonly ConcurrentStack<PageScratch> _scratches = new();
    private readonly int _workers;

    public RestorePipeline(
        IObjectStore store, Manifest manifest, IWritableVolume target, VolumeExtent range, RestoreOptions options, RestoreCounters counters, LostRanges lost)
    {
        _damaged = options.Damaged;
        _lost = lost;
        _store = store;
        _manifest = manifest;
        _geometry = manifest.Geometry;
        _target = target;
        _range = range;
        _isZeroed = target.IsZeroed; // as it is now: the first write ends it
        _counters = counters;
        _comparer = options.Differential && !_isZeroed ? new TargetComparer(target, _geometry, manifest.Hasher, counters) : null;
        _pages = new PageReader(store, manifest, PageReader.WalkLookAhead);
        _workers = (int)Math.Clamp(options.MaxMemoryBytes / GetWorkerMemory(_geometry.ChunkSize), 1, options.Workers ?? DefaultWorkers);
    }

    /// <summary>Workers when nobody says how many: fetching waits for answers more than for the processor.</summary>
    public static int DefaultWorkers => Math.Max(8, Environment.ProcessorCount);

    /// <summary>Bytes of buffers that each worker has.</summary>
    public static int GetWorkerMemory(int chunkSize) => ChunkFetcher.GetBufferLength(chunkSize, MaxRangeLength) + Math.Max(RestoreWorker.MaxWriteLength, chunkSize);

    /// <summary>Restores; returns when everything is written.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = Channel.CreateBounded<(RestoreBatch Batch, FetchRange Range)>(_workers * 2);
        await WorkerGroup.RunAsync(
            abort,
            [Task.Run(() => PlanAsync(work.Writer, abort.Token), CancellationToken.None), .. Enumerable.Range(0, _workers).Select(_ => Task.Run(() => WorkAsync(work.Reader, abort.Token), CancellationToken.None))],
            cancellationToken).ConfigureAwait(false);
        await _target.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task WorkAsync(ChannelReader<(RestoreBatch Batch, FetchRange Range)> work, CancellationToken cancellationToken)
    {
        using var worker = new RestoreWorker(_target, _geometry, _range, new ChunkFetcher(_store, _manifest, MaxRangeLength), _counters, _damaged == DamagedData.Fail ? null : LoseAsync);
        await foreach ((RestoreBatch batch, FetchRange range) in work.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await worker.RestoreAsync(batch, range, cancellationToken).ConfigureAwait(false);
            batch.Complete();
        }
    }

    private async Task PlanAsync(ChannelWriter<(RestoreBatch Batch, FetchRange Range)> work, CancellationToken cancellationToken)
    {
        long nextPage = _range.Offset / _geometry.PageSize;
        long endPage = (_range.End + _geometry.PageSize - 1) / _geometry.PageSize;
        var numbers = new List<long>(PagesPerBatch);
        while (nextPage < endPage)
        {
            numbers.Clear();
            long page = nextPage;
            while (numbers.Count < PagesPerBatch && (page = _manifest.Pages.FindMapped(page)) < endPage)
                numbers.Add(page++);
            long batchEnd = numbers.Count == PagesPerBatch ? page : endPage;

            RestoreBatch batch = await GatherAsync(nextPage, numbers, batchEnd, cancellationToken).ConfigureAwait(false);
            foreach (FetchRange range in batch.Plan(MaxRangeLength))
                await work.WriteAsync((batch, range), cancellationToken).ConfigureAwait(false);
            nextPage = batchEnd;
        }

        work.Complete();
    }

    /// <summary>Deals with all zeros of some pages, and gathers the chunks to be fetched.</summary>
    private async Task<RestoreBatch> GatherAsync(long firstPage, List<long> mapped, long endPage, CancellationToken cancellationToken)
    {
        var batch = new RestoreBatch(mapped.Count * PageFormat.ChunksPerPage);
        long zerosFrom = firstPage;
        foreach (long number in mapped)
        {
            await MakeZeroAsync(zerosFrom * PageFormat.ChunksPerPage, number * PageFormat.ChunksPerPage, cancellationToken).ConfigureAwait(false);
            zerosFrom = number + 1;
        }

        await MakeZeroAsync(zerosFrom * PageFormat.ChunksPerPage, endPage * PageFormat.ChunksPerPage, cancellationToken).ConfigureAwait(false);

        // Comparing reads the whole target, so it is worth all processors; merely reading pages is not.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _comparer is null ? 1 : _workers, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(mapped, parallel, async (number, token) =>
        {
            if (!_scratches.TryPop(out PageScratch? scratch))
                scratch = new PageScratch();
            await ReadPageAsync(number, scratch, token).ConfigureAwait(false);
            lock (batch)
                scratch.Wanted.ForEach(batch.Add);
            _scratches.Push(scratch);
        }).ConfigureAwait(false);
        return batch;
    }

    /// <summary>Deals with the zeros of a page, and gathers the chunks to be fetched.</summary>
    private async ValueTask ReadPageAsync(long number, PageScratch scratch, CancellationToken cancellationToken)
    {
        (Page page, List<WantedChunk> wanted) = (scratch.Page, scratch.Wanted);
        wanted.Clear();
        long first = number * PageFormat.ChunksPerPage;
        int chunks = _geometry.GetChunksInPage(number);
        try
        {
            await _pages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (_damaged != DamagedData.Fail)
        {
            // Where its chunks are, only the page knows.
            await LoseAsync(first, chunks, e, cancellationToken).ConfigureAwait(false);
            return;
        }

        int zeros = 0;
        for (int index = 0; index < chunks; index++)
        {
            if (page[index].IsZero)
                continue;
            if (zeros < index)
                await MakeZeroAsync(first + zeros, first + index, cancellationToken).ConfigureAwait(false);
            zeros = index + 1;
            if (IsInRange(first + index))
                wanted.Add(new WantedChunk(first + index, page[index].Location, page[index].Digest));
        }

        await MakeZeroAsync(first + zeros, first + chunks, cancellationToken).ConfigureAwait(false);
        if (_comparer is not null)
            await _comparer.RemoveEqualAsync(wanted, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes note of chunks that cannot be restored, and makes them zero where that is asked for; their bytes in the target are otherwise left as they are.</summary>
    private async ValueTask LoseAsync(long firstChunk, long count, CorruptionException why, CancellationToken cancellationToken)
    {
        long offset = Math.Max(firstChunk * _geometry.ChunkSize, _range.Offset);
        long end = Math.Min(Math.Min((firstChunk + count) * _geometry.ChunkSize, _geometry.SizeBytes), _range.End);
        if (offset >= end)
            return;
        _lost.Add(new VolumeExtent(offset, end - offset), why);
        if (_damaged == DamagedData.Zero)
            await MakeZeroAsync(firstChunk, firstChunk + count, cancellationToken).ConfigureAwait(false);
        else
            _counters.AddKept(end - offset);
    }

    private bool IsInRange(long chunk) =>
        chunk * _geometry.ChunkSize < _range.End && (chunk + 1) * _geometry.ChunkSize > _range.Offset;

    private async ValueTask MakeZeroAsync(long firstChunk, long endChunk, CancellationToken cancellationToken)
    {
        long offset = Math.Max(firstChunk * _geometry.ChunkSize, _range.Offset);
        long end = Math.Min(endChunk * _geometry.ChunkSize, _range.End);
        for (; offset < end; offset += MaxZerosLength)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var zeros = new VolumeExtent(offset, Math.Min(MaxZerosLength, end - offset));
            if (_isZeroed)
            {
                _counters.AddKept(zeros.Length);
            }
            else if (_comparer is not null)
            {
                await _comparer.WriteMissingZerosAsync(zeros, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await _target.WriteZerosAsync(zeros.Offset, zeros.Length, cancellationToken).ConfigureAwait(false);
                _counters.AddZeroed(zeros.Length);
            }
        }
    }

    /// <summary>What planning a page takes, used again for page after page.</summary>
    private sealed class PageScratch
    {
        public Page Page { get; } = new();

        public List<WantedChunk> Wanted { get; } = new(PageFormat.ChunksPerPage);
    }
}
