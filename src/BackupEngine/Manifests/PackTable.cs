using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// Every pack that a manifest refers to, its size, and how many bytes of it the manifest uses. Kept by difference from backup to backup,
/// so that nobody has to read a whole manifest to learn what it needs. Its owner locks.
/// </summary>
internal sealed class PackTable
{
    private readonly Dictionary<PackId, PackUse> _packs;

    public PackTable() => _packs = [];

    private PackTable(Dictionary<PackId, PackUse> packs) => _packs = packs;

    public int Count => _packs.Count;

    /// <summary>All packs, in order of backup and sequence.</summary>
    public IEnumerable<KeyValuePair<PackId, PackUse>> Packs => _packs.OrderBy(pack => pack.Key.BackupOrdinal).ThenBy(pack => pack.Key.Sequence);

    public bool TryGet(PackId pack, out PackUse use) => _packs.TryGetValue(pack, out use);

    public void Add(PackId pack, PackUse use) => _packs.Add(pack, use);

    /// <summary>Counts a frame in, of a pack that was there before.</summary>
    public void Retain(FrameLocation frame, long packSizeBytes)
    {
        long used = _packs.TryGetValue(frame.Pack, out PackUse use) ? use.UsedBytes : 0;
        _packs[frame.Pack] = new PackUse(packSizeBytes, used + frame.Length);
    }

    /// <summary>Counts a frame out that the manifest no longer refers to; a pack goes with its last frame.</summary>
    /// <returns>False when the frame was not counted in: the table and the pages do not fit together.</returns>
    public bool TryRelease(FrameLocation frame)
    {
        if (!_packs.TryGetValue(frame.Pack, out PackUse use) || use.UsedBytes < frame.Length)
            return false;

        if (use.UsedBytes == frame.Length)
            _packs.Remove(frame.Pack);
        else
            _packs[frame.Pack] = use with { UsedBytes = use.UsedBytes - frame.Length };
        return true;
    }

    public PackTable Copy() => new(new Dictionary<PackId, PackUse>(_packs));
}

/// <summary>A pack as a manifest sees it.</summary>
/// <param name="SizeBytes">Size of the whole object.</param>
/// <param name="UsedBytes">Bytes of those of its frames that the manifest refers to.</param>
internal readonly record struct PackUse(long SizeBytes, long UsedBytes);
