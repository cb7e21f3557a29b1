using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>
/// Makes manifests that refer to where frames have been moved. Given in order of a chain, a page that several share is read and written once.
/// Memory: two manifests, and the moved frames of one.
/// </summary>
internal sealed class ManifestRewriter(IObjectStore store, FrameMover frames, RepackWriter writer)
{
    private readonly Page _page = new();
    private readonly byte[] _encoded = new byte[PageFormat.MaxPageLength];
    private Manifest? _previous;
    private Dictionary<long, PageMove> _previousMoves = [];

    /// <summary>Writes the pages of a manifest anew that refer to frames which moved, or are in a pack that is emptied.</summary>
    /// <param name="old">The manifest.</param>
    /// <param name="id">The id of the new one.</param>
    /// <returns>The new manifest, not yet stored, all packs of which are; null when nothing moved.</returns>
    /// <exception cref="CorruptionException">A page cannot be read, or does not fit to the pack table.</exception>
    public async Task<Manifest?> RewriteAsync(Manifest old, Guid id, CancellationToken cancellationToken)
    {
        Dictionary<long, PageMove> moves = await MovePagesAsync(old, cancellationToken).ConfigureAwait(false);
        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        (_previous, _previousMoves) = (old, moves);
        if (moves.Count == 0)
            return null;

        PackTable packs = old.Packs.Copy();
        PageTable pages = old.Pages.Resize(old.Pages.PageCount);
        foreach ((long number, PageMove move) in moves)
        {
            Move(old.Pages[number].Location, move.Entry.Location);
            foreach ((FrameLocation from, FrameLocation to) in move.Chunks)
                Move(from, to);
            pages[number] = move.Entry;
        }

        return old with
        {
            BackupId = id,
            Backups = [.. old.Backups, .. Enumerable.Repeat(writer.Id, (int)writer.Ordinal + 1 - old.Backups.Count), old.Backups[^1]],
            Packs = packs,
            Pages = pages,
        };

        void Move(FrameLocation from, FrameLocation to)
        {
            if (!packs.TryRelease(from))
                throw new CorruptionException(old.Key, null, $"its pack table does not count what its pages refer to in {old.GetPackKey(from.Pack)}");
            packs.Retain(to, writer.GetSize(to.Pack));
        }
    }

    private async Task<Dictionary<long, PageMove>> MovePagesAsync(Manifest old, CancellationToken cancellationToken)
    {
        var moves = new Dictionary<long, PageMove>();
        var pages = new PageReader(store, old, PageReader.WalkLookAhead);
        foreach (long number in old.Pages.MappedPages())
        {
            if (old.HasPageOf(_previous, number))
            {
                if (_previousMoves.TryGetValue(number, out PageMove? known))
                    moves[number] = known;
                continue;
            }

            await pages.ReadAsync(number, _page, cancellationToken).ConfigureAwait(false);
            List<(FrameLocation From, FrameLocation To)> chunks = MoveChunks(old);
            if (chunks.Count == 0 && !frames.IsEmptied(StoredPack.Of(old, old.Pages[number].Location.Pack)))
                continue;
            int length = _page.Encode(_encoded, old.Hasher.DigestLength);
            moves[number] = new PageMove(await writer.AppendPageAsync(number, _encoded.AsMemory(0, length), cancellationToken).ConfigureAwait(false), chunks);
        }

        return moves;
    }

    private List<(FrameLocation From, FrameLocation To)> MoveChunks(Manifest old)
    {
        List<(FrameLocation From, FrameLocation To)> moved = [];
        foreach (ref MapEntry entry in _page.Entries)
        {
            if (entry.IsZero || !frames.TryFind(StoredPack.Of(old, entry.Location.Pack), entry.Location.Offset, out FrameLocation location))
                continue;
            moved.Add((entry.Location, location));
            entry = entry with { Location = location };
        }

        return moved;
    }

    private sealed record PageMove(PageEntry Entry, List<(FrameLocation From, FrameLocation To)> Chunks);
}
