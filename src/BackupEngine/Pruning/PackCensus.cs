using BackupEngine.Catalog;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>
/// Finds the packs of one volume that are worth being repacked. Pack tables tell which may be mostly dead; of those alone the live frames are gathered, page by page.
/// Memory: a number for each pack, and up to <see cref="MaxFrames"/> frames; when there are more, the fullest packs are left to the next time.
/// </summary>
/// <param name="store">Where manifests and pages are.</param>
/// <param name="belowPercent">Packs are worth it whose live share is below this.</param>
internal sealed class PackCensus(IObjectStore store, double belowPercent)
{
    /// <summary>Frames that are kept in mind, at the most: about 100 bytes each.</summary>
    private const int MaxFrames = 1 << 20;

    private readonly Dictionary<StoredPack, PackLife> _packs = [];
    private int _frames;

    /// <summary>The packs to be repacked.</summary>
    public IReadOnlyDictionary<StoredPack, PackLife> Packs => _packs;

    /// <summary>Looks at everything.</summary>
    /// <param name="backups">All backups whose data lies under the volume, in order of their making.</param>
    /// <exception cref="CorruptionException">A manifest or page cannot be read.</exception>
    public async Task TakeAsync(IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        foreach (Backup backup in backups)
        {
            Manifest manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            foreach ((PackId pack, PackUse use) in manifest.Packs.Packs)
            {
                StoredPack name = StoredPack.Of(manifest, pack);
                if (!_packs.TryGetValue(name, out PackLife? life))
                    _packs[name] = life = new PackLife(use.SizeBytes);
                life.MostUsedBytes = Math.Max(life.MostUsedBytes, use.UsedBytes);
            }
        }

        RemoveUnless(life => IsBelow(life.MostUsedBytes, life));
        Manifest? previous = null;
        foreach (Backup backup in backups)
        {
            if (_packs.Count == 0)
                return;
            Manifest manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            await AddPagesAsync(manifest, previous, cancellationToken).ConfigureAwait(false);
            previous = manifest;
        }

        RemoveUnless(life => IsBelow(life.LiveBytes, life) && life.CostBytes < life.SizeBytes);
    }

    private bool IsBelow(long bytes, PackLife life) => bytes * 100.0 < life.SizeBytes * belowPercent;

    private void RemoveUnless(Func<PackLife, bool> isWorthIt)
    {
        foreach (StoredPack pack in _packs.Where(pack => !isWorthIt(pack.Value)).Select(pack => pack.Key).ToArray())
            _packs.Remove(pack);
    }

    private async Task AddPagesAsync(Manifest manifest, Manifest? previous, CancellationToken cancellationToken)
    {
        if (!manifest.Packs.Packs.Any(pack => _packs.ContainsKey(StoredPack.Of(manifest, pack.Key))))
            return;
        var pages = new PageReader(store, manifest, PageReader.WalkLookAhead);
        var page = new Page();
        foreach (long number in manifest.Pages.MappedPages())
        {
            if (manifest.HasPageOf(previous, number))
                continue;
            FrameLocation location = manifest.Pages[number].Location;
            bool isCounted = Add(manifest, location, isPage: true) is not null;
            PackLife? payer = null;
            await pages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
            for (int chunk = 0; chunk < page.Entries.Length; chunk++)
            {
                if (!page[chunk].IsZero && Add(manifest, page[chunk].Location, isPage: false) is { } life)
                    payer ??= life;
            }

            if (payer is not null && !isCounted)
                payer.PageBytes += location.Length;
        }
    }

    private PackLife? Add(Manifest manifest, FrameLocation frame, bool isPage)
    {
        StoredPack name = StoredPack.Of(manifest, frame.Pack);
        if (!_packs.TryGetValue(name, out PackLife? life))
            return null;
        int before = life.Frames.Count;
        life.Add(frame.Offset, new LiveFrame(frame.Length, isPage));
        _frames += life.Frames.Count - before;
        while (_frames > MaxFrames)
        {
            (StoredPack fullest, PackLife largest) = _packs.MaxBy(pack => pack.Value.Frames.Count);
            _packs.Remove(fullest);
            _frames -= largest.Frames.Count;
        }

        return life;
    }
}
