using BackupEngine.Format;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// Reads pages of a manifest. Pages that lie side by side in a pack are fetched together and kept for those who come next, so walking
/// through a volume costs one request for hundreds of pages; a bounded number of such windows is held. Used by many threads at once.
/// </summary>
internal sealed class PageReader
{
    /// <summary>Windows kept: more than the backups that a manifest takes its pages from (see ManifestBuilder), so that a walk reads nothing twice.</summary>
    private const int MaxWindows = 48;

    /// <summary>Pages looked at, at the most, for those that may come along.</summary>
    private const int MaxLookAheadPages = 256;

    /// <summary>Bytes of other things between two pages that are rather read than asked around.</summary>
    private const int MaxGap = 64 << 10;

    private readonly IObjectStore _store;
    private readonly Manifest _manifest;
    private readonly int _maxWindowLength;
    private readonly Lock _lock = new();
    private readonly LinkedList<Window> _windows = [];

    /// <summary>Makes a reader.</summary>
    /// <param name="store">Where the packs are.</param>
    /// <param name="manifest">Whose pages.</param>
    /// <param name="lookAhead">Bytes that may be fetched beyond the page that was asked for: many for a walk through all, few for single pages.</param>
    public PageReader(IObjectStore store, Manifest manifest, int lookAhead)
    {
        _store = store;
        _manifest = manifest;
        _maxWindowLength = lookAhead;
    }

    /// <summary>Bytes that a reader holds, at the most, for a manifest of so many pages.</summary>
    public static long GetMaxBytes(long pages, int lookAhead) =>
        Math.Min(pages * (PageFormat.MaxPageLength + FrameFormat.HeaderSize), (long)MaxWindows * Math.Max(lookAhead, PageFormat.MaxPageLength + FrameFormat.HeaderSize));

    /// <summary>Bytes ahead for walks through whole volumes.</summary>
    public const int WalkLookAhead = 512 << 10;

    /// <summary>Bytes ahead for single pages here and there.</summary>
    public const int SingleLookAhead = 32 << 10;

    /// <summary>Reads a page.</summary>
    /// <param name="number">Which page.</param>
    /// <param name="page">Takes its entries; all zero when the volume has nothing there.</param>
    /// <exception cref="CorruptionException">The page is missing or damaged.</exception>
    public async ValueTask ReadAsync(long number, Page page, CancellationToken cancellationToken)
    {
        PageEntry entry = _manifest.Pages[number];
        if (entry.IsZero)
        {
            page.Clear();
            return;
        }

        Window window = FindOrAddWindow(number, entry.Location);
        byte[] bytes;
        try
        {
            bytes = await window.ReadAsync(_store, _manifest.GetPackKey(window.Pack), cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException) when (!window.IsOnly(entry.Location))
        {
            // A pack that is cut off behind this page takes those that come along, not this one.
            window = new Window(entry.Location.Pack, entry.Location.Offset, entry.Location.End);
            bytes = await window.ReadAsync(_store, _manifest.GetPackKey(window.Pack), cancellationToken).ConfigureAwait(false);
        }

        ReadOnlySpan<byte> frame = bytes.AsSpan((int)(entry.Location.Offset - window.Offset), (int)entry.Location.Length);
        Decode(number, entry, frame, page);
    }

    /// <summary>Reads the frame of a page as it is stored, for copying.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadPlainAsync(long number, CancellationToken cancellationToken)
    {
        PageEntry entry = _manifest.Pages[number];
        Window window = FindOrAddWindow(number, entry.Location);
        byte[] bytes = await window.ReadAsync(_store, _manifest.GetPackKey(window.Pack), cancellationToken).ConfigureAwait(false);
        var frame = new ReadOnlyMemory<byte>(bytes, (int)(entry.Location.Offset - window.Offset), (int)entry.Location.Length);
        CheckFrame(number, entry, frame.Span);
        return frame[FrameFormat.HeaderSize..];
    }

    private void Decode(long number, PageEntry entry, ReadOnlySpan<byte> frame, Page page)
    {
        CheckFrame(number, entry, frame);
        if (!page.TryDecode(frame[FrameFormat.HeaderSize..], _manifest.Hasher.DigestLength))
            throw Damaged(entry, $"page {number} cannot be read");

        int chunks = _manifest.Geometry.GetChunksInPage(number);
        if (page.Entries[chunks..].ContainsAnyExcept(default(MapEntry)))
            throw Damaged(entry, $"page {number} maps chunks past the end of the volume");
    }

    private void CheckFrame(long number, PageEntry entry, ReadOnlySpan<byte> frame)
    {
        if (!FrameHeader.IsIntact(frame) || !FrameHeader.TryRead(frame, out FrameHeader header)
            || header.Kind != FrameKind.Page || header.Number != (ulong)number || header.Checksum != entry.Checksum)
            throw Damaged(entry, $"page {number} of the manifest is damaged");
    }

    private CorruptionException Damaged(PageEntry entry, string problem) =>
        new(_manifest.GetPackKey(entry.Location.Pack), entry.Location.Offset, problem);

    private Window FindOrAddWindow(long number, FrameLocation wanted)
    {
        lock (_lock)
        {
            for (LinkedListNode<Window>? node = _windows.First; node is not null; node = node.Next)
            {
                if (!node.Value.Contains(wanted))
                    continue;
                _windows.Remove(node);
                if (!node.Value.HasFailed)
                {
                    _windows.AddFirst(node);
                    return node.Value;
                }

                break;
            }

            if (_windows.Count == MaxWindows)
                _windows.RemoveLast();
            return _windows.AddFirst(new Window(wanted.Pack, wanted.Offset, GetWindowEnd(number, wanted))).Value;
        }
    }

    /// <summary>Goes on from the wanted page over those that come next, as long as they lie behind it in the same pack.</summary>
    private long GetWindowEnd(long number, FrameLocation wanted)
    {
        long end = wanted.End;
        long next = number;
        for (int looked = 0; looked < MaxLookAheadPages; looked++)
        {
            next = _manifest.Pages.FindMapped(next + 1);
            if (next >= _manifest.Pages.PageCount)
                break;
            FrameLocation location = _manifest.Pages[next].Location;
            // Workers finish regions nearly in order, so pages lie nearly in order: one may be behind or within what is fetched already.
            if (location.Pack != wanted.Pack || location.Offset < end)
                continue;
            if (location.Offset > end + MaxGap || location.End - wanted.Offset > _maxWindowLength)
                break;
            end = location.End;
        }

        return end;
    }

    /// <summary>A part of a pack, fetched by whoever needs it first.</summary>
    private sealed class Window(PackId pack, long offset, long end)
    {
        private readonly Lock _lock = new();
        private Task<byte[]>? _bytes;

        public PackId Pack => pack;

        public long Offset => offset;

        public bool HasFailed => _bytes is { IsCompleted: true, IsCompletedSuccessfully: false };

        public bool IsOnly(FrameLocation location) => location.Pack == pack && location.Offset == offset && location.End == end;

        public bool Contains(FrameLocation location) => location.Pack == pack && location.Offset >= offset && location.End <= end;

        public Task<byte[]> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken)
        {
            lock (_lock)
                return _bytes ??= FetchAsync(store, key, cancellationToken);
        }

        private async Task<byte[]> FetchAsync(IObjectStore store, string key, CancellationToken cancellationToken)
        {
            byte[] bytes = GC.AllocateUninitializedArray<byte>((int)(end - offset));
            await store.ReadPackAsync(key, offset, bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }
}
