using System.Buffers;
using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>
/// A backup as a stream. It keeps one window of decoded chunks: a reader that goes on where it stopped gets windows of a megabyte, one that jumps
/// about gets single chunks.
/// </summary>
internal sealed class BackupStream : Stream
{
    private const int ReadAhead = 1 << 20;

    private readonly IObjectStore _store;
    private readonly RecordStore _records;
    private readonly VolumeGeometry _geometry;
    private readonly ReadOptions _options;
    private Backup _backup;
    private PageReader _pages;
    private ChunkFetcher _fetcher;
    private readonly Page _page = new();
    private readonly byte[] _window;
    private long _pageNumber = -1;
    private long _windowStart;
    private int _windowLength;
    private long _position;
    private bool _disposed;

    public BackupStream(IObjectStore store, RecordStore records, Backup backup, ReadOptions options, Manifest manifest)
    {
        _options = options;
        _store = store;
        _records = records;
        _backup = backup;
        _geometry = manifest.Geometry;
        _pages = new PageReader(store, manifest, PageReader.SingleLookAhead);
        _fetcher = new ChunkFetcher(store, manifest, ReadAhead);
        _window = ArrayPool<byte>.Shared.Rent(Math.Max(ReadAhead, _geometry.ChunkSize));
    }

    public override bool CanRead => !_disposed;

    public override bool CanSeek => !_disposed;

    public override bool CanWrite => false;

    public override long Length => _geometry.SizeBytes;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        long position = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => Length };
        if (position < 0)
            throw new IOException("A stream cannot be positioned before its beginning.");
        return _position = position;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_position >= Length || buffer.IsEmpty)
            return 0;
        if (_position < _windowStart || _position >= _windowStart + _windowLength)
            await FillWindowOrReopenAsync(cancellationToken).ConfigureAwait(false);

        int start = (int)(_position - _windowStart);
        int count = Math.Min(buffer.Length, _windowLength - start);
        _window.AsMemory(start, count).CopyTo(buffer);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // A stream must also be readable synchronously; nothing below runs on a caller's synchronization context, so waiting cannot dead-lock.
    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException("A backup cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A backup cannot be changed.");

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _fetcher.Dispose();
            ArrayPool<byte>.Shared.Return(_window);
        }

        base.Dispose(disposing);
    }

    private async ValueTask FillWindowOrReopenAsync(CancellationToken cancellationToken)
    {
        try
        {
            await FillWindowAsync(losesMissing: false, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            // Repacked since it was opened?
            Backup? now = await _records.FindRecordAsync(_backup.VolumeId, _backup.Id, cancellationToken).ConfigureAwait(false);
            if (now is not { Status: BackupStatus.Available } || now.ManifestKey == _backup.ManifestKey)
            {
                // A backup that was deleted has no lost ranges: reading it fails.
                if (_options.Damaged == DamagedData.Fail || now is not { Status: BackupStatus.Available or BackupStatus.Error })
                    throw;
                await FillWindowAsync(losesMissing: true, cancellationToken).ConfigureAwait(false);
                return;
            }

            Manifest manifest = await _store.ReadManifestAsync(now, cancellationToken).ConfigureAwait(false);
            _backup = now;
            _pages = new PageReader(_store, manifest, PageReader.SingleLookAhead);
            _pageNumber = -1;
            _fetcher.Dispose();
            _fetcher = new ChunkFetcher(_store, manifest, ReadAhead);
            await FillWindowOrReopenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <param name="losesMissing">Whether objects that are missing are lost; else the caller first looks whether the backup was repacked.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    private async ValueTask FillWindowAsync(bool losesMissing, CancellationToken cancellationToken)
    {
        bool goesOn = _windowLength > 0 && _position == _windowStart + _windowLength;
        long first = _position / _geometry.ChunkSize;
        int count = Math.Max(1, goesOn ? ReadAhead / _geometry.ChunkSize : 1);
        long page = first / PageFormat.ChunksPerPage;
        int index = (int)(first % PageFormat.ChunksPerPage);
        count = Math.Min(count, _geometry.GetChunksInPage(page) - index);

        _windowLength = 0;
        long start = first * _geometry.ChunkSize;
        int length = (int)Math.Min((long)count * _geometry.ChunkSize, Length - start);
        _window.AsSpan(0, length).Clear();
        List<(VolumeExtent Range, CorruptionException Why)> lost = [];
        try
        {
            if (page != _pageNumber)
            {
                _pageNumber = -1;
                await _pages.ReadAsync(page, _page, cancellationToken).ConfigureAwait(false);
                _pageNumber = page;
            }

            await DecodeAsync(first, index, count, start, losesMissing, lost, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (_pageNumber < 0 && IsLoss(e, losesMissing))
        {
            // Where its chunks are, only the page knows.
            lost.Add((new VolumeExtent(start, length), e));
        }

        foreach ((VolumeExtent range, CorruptionException why) in lost)
            _options.OnLost?.Invoke(new LostRange(range.Offset, range.Length, why.Key, why.Problem));
        _windowStart = start;
        _windowLength = length;
    }

    private bool IsLoss(CorruptionException e, bool losesMissing) =>
        _options.Damaged == DamagedData.Zero && (losesMissing || e.InnerException is not ObjectStoreException { Error: ObjectStoreError.NotFound });

    private async ValueTask DecodeAsync(
        long first, int index, int count, long start, bool losesMissing, List<(VolumeExtent Range, CorruptionException Why)> lost, CancellationToken cancellationToken)
    {
        WantedChunk[] wanted = [.. Enumerable.Range(0, count)
            .Where(chunk => !_page[index + chunk].IsZero)
            .Select(chunk => new WantedChunk(first + chunk, _page[index + chunk].Location, _page[index + chunk].Digest))];
        foreach (FetchRange range in FetchPlan.Build(wanted, ReadAhead))
            await DecodeAsync(wanted, range, start, losesMissing, lost, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask DecodeAsync(
        WantedChunk[] wanted, FetchRange range, long start, bool losesMissing, List<(VolumeExtent Range, CorruptionException Why)> lost, CancellationToken cancellationToken)
    {
        try
        {
            await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (IsLoss(e, losesMissing))
        {
            if (range.Count == 1)
                lost.Add((ExtentOf(wanted[range.First]), e));

            // Which frames of a range are lost that cannot be fetched as a whole is only found by asking for each.
            for (int single = range.First; single < range.First + range.Count && range.Count > 1; single++)
                await DecodeAsync(wanted, new FetchRange(range.Pack, wanted[single].Location.Offset, (int)wanted[single].Location.Length, single, 1), start, losesMissing, lost, cancellationToken).ConfigureAwait(false);
            return;
        }

        foreach (WantedChunk chunk in wanted.AsSpan(range.First, range.Count))
        {
            VolumeExtent extent = ExtentOf(chunk);
            Span<byte> plain = _window.AsSpan((int)(extent.Offset - start), (int)extent.Length);
            try
            {
                _fetcher.Decode(chunk, plain);
            }
            catch (CorruptionException e) when (_options.Damaged == DamagedData.Zero)
            {
                // What was decoded of it before the damage showed is not data.
                plain.Clear();
                lost.Add((extent, e));
            }
        }
    }

    private VolumeExtent ExtentOf(in WantedChunk chunk) => new(chunk.Chunk * _geometry.ChunkSize, _geometry.GetChunkLength(chunk.Chunk));
}
