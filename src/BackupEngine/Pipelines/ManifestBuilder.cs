using System.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>
/// Grows the manifest of a backup out of its parent's: pages that changed are written to packs of their own as their regions finish, all
/// others stay references to where they are. Used by all workers at once.
/// </summary>
internal sealed class ManifestBuilder : IDisposable
{
    /// <summary>Backups that one manifest takes its pages from, at the most: restoring the last of a thousand incrementals must not touch a thousand packs of pages.</summary>
    private const int MaxPageOwners = 32;

    /// <summary>Backups left when the oldest pages have been written anew; less than the maximum, so that it happens only now and then.</summary>
    private const int PageOwnersAfterCompaction = 16;

    private readonly Manifest? _parent;
    private readonly PackUploader _uploader;
    private readonly IReadOnlyDictionary<PackId, long> _resumedPacks;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private PackWriter? _pagePack;

    /// <summary>Begins where the parent ends.</summary>
    /// <param name="own">The manifest to build; see <see cref="Begin"/>.</param>
    /// <param name="resumedPacks">Sizes of the packs of backups that were cut off.</param>
    public ManifestBuilder(Manifest? parent, Manifest own, PackUploader uploader, IReadOnlyDictionary<PackId, long> resumedPacks)
    {
        _parent = parent;
        Manifest = own;
        _uploader = uploader;
        _resumedPacks = resumedPacks;
    }

    /// <summary>The manifest as it grows; its tables change until <see cref="Finish"/>.</summary>
    public Manifest Manifest { get; }

    /// <summary>The manifest of a backup that has not yet found any change.</summary>
    /// <param name="resumed">Backups that were cut off and whose packs this one may refer to.</param>
    public static Manifest Begin(Manifest? parent, IReadOnlyList<Guid> resumed, Guid backupId, string volumeId, VolumeGeometry geometry, ChunkHasher hasher) => new()
    {
        BackupId = backupId,
        ParentId = parent?.BackupId,
        VolumeId = volumeId,
        Geometry = geometry,
        Hasher = hasher,
        Backups = [.. parent?.Backups ?? [], .. resumed, backupId],
        Packs = parent?.Packs.Copy() ?? new PackTable(),
        Pages = parent?.Pages.Resize(geometry.PageCount) ?? new PageTable(geometry.PageCount),
    };

    /// <summary>Replaces a page.</summary>
    /// <param name="number">Which page.</param>
    /// <param name="page">Its new entries; the frames of new ones are in packs that were or will be submitted.</param>
    /// <param name="released">Frames that the parent's page referred to in places where this one does not.</param>
    /// <param name="retained">Known frames that this page refers to, and the parent's not in the same place.</param>
    public async ValueTask SetPageAsync(long number, Page page, List<FrameLocation> released, List<FrameLocation> retained, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PageFormat.MaxPageLength);
        int length = page.Encode(buffer, Manifest.Hasher.DigestLength);
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (FrameLocation frame in released)
                Release(frame);
            foreach (FrameLocation frame in retained)
                Manifest.Packs.Retain(frame, GetPackSize(frame.Pack));
            await ReplaceAsync(number, buffer.AsMemory(0, length), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Counts out what the parent has past the end of a volume that shrank.</summary>
    public async Task ReleasePastEndAsync(PageReader parentPages, CancellationToken cancellationToken)
    {
        if (_parent is null)
            return;
        var page = new Page();
        for (long number = _parent.Pages.FindMapped(Manifest.Pages.PageCount); number < _parent.Pages.PageCount; number = _parent.Pages.FindMapped(number + 1))
        {
            await parentPages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
            foreach (MapEntry entry in page.Entries)
            {
                if (!entry.IsZero)
                    Release(entry.Location);
            }

            Release(_parent.Pages[number].Location);
        }
    }

    /// <summary>Writes the pages of the oldest backups anew when the manifest takes its pages from too many.</summary>
    public async Task CompactAsync(PageReader parentPages, CancellationToken cancellationToken)
    {
        uint[] owners = [.. Manifest.Pages.MappedPages().Select(page => Manifest.Pages[page].Location.BackupOrdinal).Distinct().Order()];
        if (owners.Length <= MaxPageOwners)
            return;

        uint firstKept = owners[^PageOwnersAfterCompaction];
        foreach (long number in Manifest.Pages.MappedPages())
        {
            if (Manifest.Pages[number].Location.BackupOrdinal >= firstKept)
                continue;
            ReadOnlyMemory<byte> plain = await parentPages.ReadPlainAsync(number, cancellationToken).ConfigureAwait(false);
            await ReplaceAsync(number, plain, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends off a pack of chunks and counts it in. Not cancelled, or the pack's buffer were nobody's; whoever has the turn is, and lets go.</summary>
    public async ValueTask SubmitAsync(PackWriter pack)
    {
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            Submit(pack);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends off the last pages.</summary>
    public void Finish()
    {
        if (_pagePack is { } last)
            Submit(last);
        _pagePack = null;
    }

    public void Dispose()
    {
        if (_pagePack is { } unfinished)
            _uploader.Discard(unfinished);
        _turn.Dispose();
    }

    private async ValueTask ReplaceAsync(long number, ReadOnlyMemory<byte> plain, CancellationToken cancellationToken)
    {
        PageEntry old = Manifest.Pages[number];
        PageEntry replacement = plain.IsEmpty ? default : await AppendAsync(number, plain, cancellationToken).ConfigureAwait(false);
        if (!old.IsZero)
            Release(old.Location);
        Manifest.Pages[number] = replacement;
    }

    private async ValueTask<PageEntry> AppendAsync(long number, ReadOnlyMemory<byte> plain, CancellationToken cancellationToken)
    {
        _pagePack ??= await _uploader.OpenAsync(cancellationToken).ConfigureAwait(false);
        if (!_pagePack.TryAppendPage(number, plain.Span, out FrameLocation location, out ulong checksum))
        {
            Submit(_pagePack);
            _pagePack = null;
            _pagePack = await _uploader.OpenAsync(cancellationToken).ConfigureAwait(false);
            if (!_pagePack.TryAppendPage(number, plain.Span, out location, out checksum))
                throw new InvalidOperationException("A page does not fit into an empty pack.");
        }

        return new PageEntry(location, checksum);
    }

    /// <summary>Whether a frame is in a pack of a backup that was cut off.</summary>
    public bool IsResumed(FrameLocation frame) => _resumedPacks.ContainsKey(frame.Pack);

    /// <summary>The size of a pack that was there before this backup; its own are counted in with their sizes when they are submitted.</summary>
    private long GetPackSize(PackId pack) =>
        pack.BackupOrdinal == Manifest.Ordinal ? 0
        : _resumedPacks.TryGetValue(pack, out long size) ? size
        : _parent is not null && _parent.Packs.TryGet(pack, out PackUse use) ? use.SizeBytes
        : throw NotCounted(pack);

    private void Submit(PackWriter pack)
    {
        // Opened for a chunk that another worker stored in the meantime.
        if (pack.FrameBytes == 0)
        {
            _uploader.Discard(pack);
            return;
        }

        long used = pack.FrameBytes;
        Manifest.Packs.Add(pack.Id, new PackUse(_uploader.Submit(pack), used));
    }

    private void Release(FrameLocation frame)
    {
        if (!Manifest.Packs.TryRelease(frame))
            throw NotCounted(frame.Pack);
    }

    private CorruptionException NotCounted(PackId pack) =>
        new((_parent ?? Manifest).Key, null, $"its pack table does not count what its pages refer to in {Manifest.GetPackKey(pack)}");
}
