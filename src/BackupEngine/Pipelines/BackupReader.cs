using System.Buffers;
using System.Runtime.ExceptionServices;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>
/// Reads ranges of a backup, for one caller at a time. It keeps one window of decoded chunks: a caller that reads on where it stopped gets windows of a megabyte, one
/// that jumps gets the chunks that it asks for.
/// </summary>
internal sealed class BackupReader : IDisposable
{
    private const int ReadAhead = 1 << 20;

    private readonly OpenedBackup _backup;
    private readonly Page _page = new();
    private readonly byte[] _window;
    private OpenedBackup.Version _version;
    private PageReader _pages;
    private ChunkFetcher _fetcher;
    private long _pageNumber = -1;
    private long _windowStart;
    private int _windowLength;

    public BackupReader(OpenedBackup backup)
    {
        _backup = backup;
        _version = backup.Current;
        _pages = new PageReader(backup.Store, _version.Manifest, PageReader.SingleLookAhead);
        _fetcher = new ChunkFetcher(backup.Store, _version.Manifest, ReadAhead);
        _window = ArrayPool<byte>.Shared.Rent(Math.Max(ReadAhead, backup.Geometry.ChunkSize));
    }

    /// <summary>Reads from a position to the end of the window that covers it.</summary>
    /// <param name="buffer">Takes the bytes.</param>
    /// <param name="position">The first byte, inside the backup.</param>
    /// <param name="expected">Bytes from the position on that the caller is going to read.</param>
    /// <returns>How many bytes were read, at least one.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, long position, int expected, CancellationToken cancellationToken)
    {
        if (position < _windowStart || position >= _windowStart + _windowLength)
        {
            while (!await TryFillWindowAsync(position, expected, cancellationToken).ConfigureAwait(false))
            {
                // Repacked: the same again with the new manifest.
            }
        }

        int start = (int)(position - _windowStart);
        int count = Math.Min(buffer.Length, _windowLength - start);
        _window.AsMemory(start, count).CopyTo(buffer);
        return count;
    }

    /// <summary>Finds the first chunks at or after a position that are not all zeros.</summary>
    /// <returns>Adjacent chunks of one page, cut to the position and to the end of the backup; null when only zeros follow.</returns>
    public async ValueTask<VolumeExtent?> FindDataAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            OpenedBackup.Version version = _version;
            try
            {
                return await FindDataInPagesAsync(position, cancellationToken).ConfigureAwait(false);
            }
            catch (CorruptionException e) when (IsMissing(e))
            {
                if (!await TryReopenAsync(version, cancellationToken).ConfigureAwait(false))
                    throw;
            }
        }
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        ArrayPool<byte>.Shared.Return(_window);
    }

    private async ValueTask<VolumeExtent?> FindDataInPagesAsync(long position, CancellationToken cancellationToken)
    {
        int chunkSize = _backup.Geometry.ChunkSize;
        long chunk = position / chunkSize;
        for (long page = _version.Manifest.Pages.FindMapped(chunk / PageFormat.ChunksPerPage); page < _backup.Geometry.PageCount; page = _version.Manifest.Pages.FindMapped(page + 1))
        {
            await LoadPageAsync(page, cancellationToken).ConfigureAwait(false);
            int chunks = _backup.Geometry.GetChunksInPage(page);
            int first = (int)Math.Max(0, chunk - (page * PageFormat.ChunksPerPage));
            while (first < chunks && _page[first].IsZero)
                first++;
            int end = first;
            while (end < chunks && !_page[end].IsZero)
                end++;
            if (first == end)
                continue;
            long start = Math.Max(position, ((page * PageFormat.ChunksPerPage) + first) * chunkSize);
            return new VolumeExtent(start, Math.Min(((page * PageFormat.ChunksPerPage) + end) * chunkSize, _backup.Geometry.SizeBytes) - start);
        }

        return null;
    }

    private static bool IsMissing(CorruptionException e) => e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound };

    /// <returns>False when the backup was repacked meanwhile.</returns>
    private async ValueTask<bool> TryFillWindowAsync(long position, int expected, CancellationToken cancellationToken)
    {
        OpenedBackup.Version version = _version;
        List<(VolumeExtent Range, CorruptionException Why)> lost = [];
        VolumeExtent window = default;
        CorruptionException? missing;
        try
        {
            window = await FillWindowAsync(position, expected, lost, cancellationToken).ConfigureAwait(false);
            missing = lost.Find(loss => IsMissing(loss.Why)).Why;
        }
        catch (CorruptionException e) when (IsMissing(e))
        {
            missing = e;
        }

        // Asked after the read: only while the record names the same manifest is an object that is missing a lost one.
        if (missing is not null && await TryReopenAsync(version, cancellationToken).ConfigureAwait(false))
            return false;
        if (missing is not null && window.Length == 0)
            ExceptionDispatchInfo.Throw(missing);
        foreach ((VolumeExtent range, CorruptionException why) in lost)
            _backup.Options.OnLost?.Invoke(new LostRange(range.Offset, range.Length, why.Key, why.Problem));
        _windowStart = window.Offset;
        _windowLength = (int)window.Length;
        return true;
    }

    /// <returns>False when the backup is still there as it was read.</returns>
    private async ValueTask<bool> TryReopenAsync(OpenedBackup.Version seen, CancellationToken cancellationToken)
    {
        if (await _backup.RefreshAsync(seen, cancellationToken).ConfigureAwait(false) is not { } version)
            return false;
        Reopen(version);
        return true;
    }

    private void Reopen(OpenedBackup.Version version)
    {
        _version = version;
        _pages = new PageReader(_backup.Store, version.Manifest, PageReader.SingleLookAhead);
        _pageNumber = -1;
        _fetcher.Dispose();
        _fetcher = new ChunkFetcher(_backup.Store, version.Manifest, ReadAhead);
    }

    /// <param name="lost">Takes what reads as zeros because it is damaged or missing, where the options ask for that.</param>
    /// <returns>What the window holds; it counts only after that is set.</returns>
    private async ValueTask<VolumeExtent> FillWindowAsync(
        long position, int expected, List<(VolumeExtent Range, CorruptionException Why)> lost, CancellationToken cancellationToken)
    {
        int chunkSize = _backup.Geometry.ChunkSize;
        bool continues = _windowLength > 0 && position == _windowStart + _windowLength;
        long first = position / chunkSize;
        long wanted = Math.Min(ReadAhead, continues ? ReadAhead : position - (first * chunkSize) + expected);
        int count = (int)Math.Max(1, (wanted + chunkSize - 1) / chunkSize);
        long page = first / PageFormat.ChunksPerPage;
        int index = (int)(first % PageFormat.ChunksPerPage);
        count = Math.Min(count, _backup.Geometry.GetChunksInPage(page) - index);

        _windowLength = 0;
        long start = first * chunkSize;
        var window = new VolumeExtent(start, Math.Min((long)count * chunkSize, _backup.Geometry.SizeBytes - start));
        _window.AsSpan(0, (int)window.Length).Clear();
        try
        {
            await LoadPageAsync(page, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (ReadsZeros)
        {
            // Only the page tells where its chunks are.
            lost.Add((window, e));
            return window;
        }

        WantedChunk[] chunks = [.. Enumerable.Range(0, count)
            .Where(chunk => !_page[index + chunk].IsZero)
            .Select(chunk => new WantedChunk(first + chunk, _page[index + chunk].Location, _page[index + chunk].Digest))];
        foreach (FetchRange range in FetchPlan.Build(chunks, ReadAhead))
            await DecodeAsync(chunks, range, start, lost, cancellationToken).ConfigureAwait(false);
        return window;
    }

    private bool ReadsZeros => _backup.Options.Damaged == DamagedData.Zero;

    private async ValueTask LoadPageAsync(long page, CancellationToken cancellationToken)
    {
        if (page == _pageNumber)
            return;
        _pageNumber = -1;
        await _pages.ReadAsync(page, _page, cancellationToken).ConfigureAwait(false);
        _pageNumber = page;
    }

    private async ValueTask DecodeAsync(
        WantedChunk[] chunks, FetchRange range, long start, List<(VolumeExtent Range, CorruptionException Why)> lost, CancellationToken cancellationToken)
    {
        try
        {
            await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (ReadsZeros)
        {
            if (range.Count == 1)
                lost.Add((ExtentOf(chunks[range.First]), e));

            // Which frames are lost of a range that cannot be fetched as a whole is only found by asking for each.
            for (int single = range.First; single < range.First + range.Count && range.Count > 1; single++)
            {
                FrameLocation location = chunks[single].Location;
                await DecodeAsync(chunks, new FetchRange(range.Pack, location.Offset, (int)location.Length, single, 1), start, lost, cancellationToken).ConfigureAwait(false);
            }

            return;
        }

        foreach (WantedChunk chunk in chunks.AsSpan(range.First, range.Count))
        {
            VolumeExtent extent = ExtentOf(chunk);
            Span<byte> plain = _window.AsSpan((int)(extent.Offset - start), (int)extent.Length);
            try
            {
                _fetcher.Decode(chunk, plain);
            }
            catch (CorruptionException e) when (ReadsZeros)
            {
                // What was decoded of it before the damage showed is not data.
                plain.Clear();
                lost.Add((extent, e));
            }
        }
    }

    private VolumeExtent ExtentOf(in WantedChunk chunk) => new(chunk.Chunk * _backup.Geometry.ChunkSize, _backup.Geometry.GetChunkLength(chunk.Chunk));
}
