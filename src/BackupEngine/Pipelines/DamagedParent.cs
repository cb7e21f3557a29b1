using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>A parent of whose packs some are damaged or gone. What is left of its map is a map like any other: pages that cannot be read count as zeros, and the pack table is counted anew.</summary>
internal static class DamagedParent
{
    /// <summary>Reads all pages of a manifest.</summary>
    /// <returns>What is left of it. It still refers to damaged packs; the backup drops those references chunk by chunk.</returns>
    public static async Task<Manifest> ReadAsync(IObjectStore store, Manifest manifest, CancellationToken cancellationToken)
    {
        PageTable pages = manifest.Pages.Resize(manifest.Pages.PageCount);
        var packs = new PackTable();
        var reader = new PageReader(store, manifest, PageReader.WalkLookAhead);
        var page = new Page();
        foreach (long number in manifest.Pages.MappedPages())
        {
            try
            {
                await reader.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
            }
            catch (CorruptionException)
            {
                pages[number] = default;
                continue;
            }

            Retain(manifest.Pages[number].Location);
            foreach (MapEntry entry in page.Entries)
            {
                if (!entry.IsZero)
                    Retain(entry.Location);
            }
        }

        return manifest with { Packs = packs, Pages = pages };

        void Retain(FrameLocation frame) => packs.Retain(frame, manifest.Packs.TryGet(frame.Pack, out PackUse use) ? use.SizeBytes : 0);
    }

    /// <summary>The damaged packs as a manifest names them.</summary>
    public static HashSet<PackId> FindPacks(Manifest manifest, IEnumerable<string> keys)
    {
        HashSet<string> damaged = [.. keys];
        return [.. manifest.Packs.Packs.Select(pack => pack.Key).Where(pack => damaged.Contains(manifest.GetPackKey(pack)))];
    }
}
