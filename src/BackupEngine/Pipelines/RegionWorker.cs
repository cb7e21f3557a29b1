using BackupEngine.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>
/// One of the workers of a backup. It takes a region, reads it in segments that stay in its core's cache, and does all there is to do with
/// a chunk while it is there: zero test, hash, comparison with the parent's page, a look whether a frame of it is known from elsewhere, and, only when it is new, compression straight into the open pack.
/// </summary>
internal sealed class RegionWorker : IDisposable
{
    /// <summary>Read at once: fits into a core's second-level cache beside the hash tables of the compressor.</summary>
    internal const int SegmentSize = 512 << 10;

    private readonly IVolume _volume;
    private readonly RegionSource _regions;
    private readonly PageReader? _parentPages;
    private readonly ManifestBuilder _manifest;
    private readonly PackUploader _uploader;
    private readonly ProgressMeter _meter;
    private readonly VolumeGeometry _geometry;
    private readonly ChunkHasher _hasher;
    private readonly ChunkCompressor _compressor;
    private readonly NativeBuffer _segment;
    private readonly ChunkAction[] _actions = new ChunkAction[PageFormat.ChunksPerPage];
    private readonly Page _page = new();
    private readonly List<FrameLocation> _released = new(PageFormat.ChunksPerPage);
    private readonly KnownFrames _known;
    private readonly BackupPlan _plan;
    private readonly List<FrameLocation> _retained = new(PageFormat.ChunksPerPage);
    private PackWriter? _pack;
    private bool _pageChanged;
    private long _bytesChanged;
    private int _zeroChunks;
    private int _newChunks;

    public RegionWorker(
        IVolume volume, BackupPlan plan, RegionSource regions, PageReader? parentPages, KnownFrames known, ManifestBuilder manifest, PackUploader uploader, ProgressMeter meter)
    {
        _volume = volume;
        _regions = regions;
        _parentPages = parentPages;
        _manifest = manifest;
        _uploader = uploader;
        _meter = meter;
        _known = known;
        _plan = plan;
        _geometry = manifest.Manifest.Geometry;
        _hasher = manifest.Manifest.Hasher;
        _compressor = new ChunkCompressor(plan.Compression);
        _segment = new NativeBuffer(Math.Max(SegmentSize, _geometry.ChunkSize));
    }

    /// <summary>Works until no region is left, and submits the last pack.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (long page; (page = await _regions.NextAsync(_actions, cancellationToken).ConfigureAwait(false)) >= 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await ProcessAsync(page, cancellationToken).ConfigureAwait(false);
            _meter.AddChanged(_bytesChanged);
            _meter.AdvanceTo((page + 1) * _geometry.PageSize);
            _bytesChanged = 0;
        }

        if (_pack is { } last)
        {
            _pack = null;
            await _manifest.SubmitAsync(last).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        if (_pack is { } unfinished)
            _uploader.Discard(unfinished);
        _compressor.Dispose();
        ((IDisposable)_segment).Dispose();
    }

    private async ValueTask ProcessAsync(long page, CancellationToken cancellationToken)
    {
        _released.Clear();
        _retained.Clear();
        _pageChanged = false;
        _zeroChunks = 0;
        _newChunks = 0;
        _page.Clear();
        if (_parentPages is not null)
            await _parentPages.ReadAsync(page, _page, cancellationToken).ConfigureAwait(false);
        int chunks = _geometry.GetChunksInPage(page);
        if (_parentPages is not null)
            ReadHolesOverData(chunks);
        if (_plan.DamagedPacks.Count > 0)
            DropDamaged(page);
        if (_parentPages is not null && _plan.ChangedExtents is null)
            _known.Add(_page.Entries);

        for (int chunk = 0; chunk < PageFormat.ChunksPerPage;)
        {
            ChunkAction action = chunk < chunks ? _actions[chunk] : ChunkAction.Zero;
            if (action == ChunkAction.Read)
            {
                chunk += await ProcessSegmentAsync(page, chunk, chunks, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (action == ChunkAction.Zero)
                SetZero(chunk, chunk < chunks ? _geometry.GetChunkLength((page * PageFormat.ChunksPerPage) + chunk) : 0);
            chunk++;
        }

        int zero = _zeroChunks - (PageFormat.ChunksPerPage - chunks);
        int resumed = _plan.Resumed.Count == 0 ? 0 : _retained.Count(_manifest.IsResumed);
        _meter.AddChunks(zero, chunks - zero - _newChunks - _retained.Count, _newChunks, _retained.Count - resumed, resumed);
        if (_pageChanged)
            await _manifest.SetPageAsync(page, _page, _released, _retained, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the chunks to be read from <paramref name="first"/> on, as many as make a segment, and deals with each.</summary>
    /// <returns>How many chunks that were.</returns>
    private async ValueTask<int> ProcessSegmentAsync(long page, int first, int chunks, CancellationToken cancellationToken)
    {
        int limit = Math.Min(chunks, first + (_segment.Memory.Length / _geometry.ChunkSize));
        int end = first + 1;
        while (end < limit && _actions[end] == ChunkAction.Read)
            end++;

        long firstChunk = (page * PageFormat.ChunksPerPage) + first;
        long offset = firstChunk * _geometry.ChunkSize;
        int length = (int)Math.Min((long)(end - first) * _geometry.ChunkSize, _geometry.SizeBytes - offset);
        await _volume.ReadAsync(_segment.Memory[..length], offset, cancellationToken).ConfigureAwait(false);
        _meter.AddRead(length);

        int done = 0;
        while ((done = ProcessChunks(page, first, end - first, done, length)) < end - first)
        {
            if (_pack is { } full)
            {
                _pack = null;
                await _manifest.SubmitAsync(full).ConfigureAwait(false);
            }

            _pack = await _uploader.OpenAsync(cancellationToken).ConfigureAwait(false);
        }

        return end - first;
    }

    /// <summary>Deals with the chunks of a segment from <paramref name="index"/> on.</summary>
    /// <returns>The chunk for which a new pack must be opened first, or <paramref name="count"/>.</returns>
    private int ProcessChunks(long page, int first, int count, int index, int length)
    {
        ReadOnlySpan<byte> segment = _segment.GetSpan()[..length];
        for (; index < count; index++)
        {
            int start = index * _geometry.ChunkSize;
            ReadOnlySpan<byte> plain = segment.Slice(start, Math.Min(_geometry.ChunkSize, length - start));
            int chunk = first + index;
            if (ZeroScan.IsZero(plain))
            {
                SetZero(chunk, plain.Length);
                continue;
            }

            ref MapEntry entry = ref _page[chunk];
            ChunkDigest digest = _hasher.Hash(plain);
            if (!entry.IsZero && entry.Digest == digest)
                continue;
            if (_known.TryFind(digest, out FrameLocation location))
            {
                _retained.Add(location);
            }
            else
            {
                if (_pack is null || !_pack.TryAppendChunk(_compressor, (page * PageFormat.ChunksPerPage) + chunk, plain, out location))
                    return index;
                _known.Add(new MapEntry(location, digest));
                _newChunks++;
            }

            Replace(ref entry, new MapEntry(location, digest), plain.Length);
        }

        return count;
    }

    /// <summary>Some storage reports holes where there is data. Where the parent has data, only reading proves that it has become zeros.</summary>
    private void ReadHolesOverData(int chunks)
    {
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            if (_actions[chunk] == ChunkAction.Zero && !_page[chunk].IsZero)
                _actions[chunk] = ChunkAction.Read;
        }
    }

    /// <summary>Forgets what the parent has in damaged packs, so that it is stored anew even where it has not changed.</summary>
    private void DropDamaged(long page)
    {
        _pageChanged = _plan.DamagedPacks.Contains(_manifest.Manifest.Pages[page].Location.Pack);
        foreach (ref MapEntry entry in _page.Entries)
        {
            if (entry.IsZero || !_plan.DamagedPacks.Contains(entry.Location.Pack))
                continue;
            _released.Add(entry.Location);
            entry = default;
            _pageChanged = true;
        }
    }

    private void SetZero(int chunk, int length)
    {
        _zeroChunks++;
        ref MapEntry entry = ref _page[chunk];
        if (!entry.IsZero)
            Replace(ref entry, default, length);
    }

    private void Replace(ref MapEntry entry, MapEntry replacement, int length)
    {
        if (!entry.IsZero)
            _released.Add(entry.Location);
        entry = replacement;
        _pageChanged = true;
        _bytesChanged += length;
    }
}
