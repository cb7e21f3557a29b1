using System.Buffers;
using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;

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

    public BackupStream(IObjectStore store, RecordStore records, Backup backup, Manifest manifest)
    {
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
            await FillWindowAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            // Repacked since it was opened?
            Backup? now = await _records.FindRecordAsync(_backup.VolumeId, _backup.Id, cancellationToken).ConfigureAwait(false);
            if (now is not { Status: BackupStatus.Available } || now.ManifestKey == _backup.ManifestKey)
                throw;
            Manifest manifest = await _store.ReadManifestAsync(now, cancellationToken).ConfigureAwait(false);
            _backup = now;
            _pages = new PageReader(_store, manifest, PageReader.SingleLookAhead);
            _pageNumber = -1;
            _fetcher.Dispose();
            _fetcher = new ChunkFetcher(_store, manifest, ReadAhead);
            await FillWindowOrReopenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask FillWindowAsync(CancellationToken cancellationToken)
    {
        bool goesOn = _windowLength > 0 && _position == _windowStart + _windowLength;
        long first = _position / _geometry.ChunkSize;
        int count = Math.Max(1, goesOn ? ReadAhead / _geometry.ChunkSize : 1);
        long page = first / PageFormat.ChunksPerPage;
        int index = (int)(first % PageFormat.ChunksPerPage);
        count = Math.Min(count, _geometry.GetChunksInPage(page) - index);

        _windowLength = 0;
        if (page != _pageNumber)
        {
            _pageNumber = -1;
            await _pages.ReadAsync(page, _page, cancellationToken).ConfigureAwait(false);
            _pageNumber = page;
        }

        long start = first * _geometry.ChunkSize;
        int length = (int)Math.Min((long)count * _geometry.ChunkSize, Length - start);
        _window.AsSpan(0, length).Clear();
        await DecodeAsync(first, index, count, start, cancellationToken).ConfigureAwait(false);
        _windowStart = start;
        _windowLength = length;
    }

    private async ValueTask DecodeAsync(long first, int index, int count, long start, CancellationToken cancellationToken)
    {
        WantedChunk[] wanted = [.. Enumerable.Range(0, count)
            .Where(chunk => !_page[index + chunk].IsZero)
            .Select(chunk => new WantedChunk(first + chunk, _page[index + chunk].Location, _page[index + chunk].Digest))];
        foreach (FetchRange range in FetchPlan.Build(wanted, ReadAhead))
        {
            await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
            foreach (WantedChunk chunk in wanted.AsSpan(range.First, range.Count))
                _fetcher.Decode(chunk, _window.AsSpan((int)((chunk.Chunk * _geometry.ChunkSize) - start), _geometry.GetChunkLength(chunk.Chunk)));
        }
    }
}
