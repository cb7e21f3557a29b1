using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// Every pack that a manifest refers to, its size, and how many bytes of it the manifest's references add up to. Kept by difference from backup to backup,
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

    /// <summary>Counts a pack in, whose frames may have been referred to already.</summary>
    public void Add(PackId pack, PackUse use)
    {
        _packs.TryGetValue(pack, out PackUse before);
        _packs[pack] = use with { UsedBytes = before.UsedBytes + use.UsedBytes };
    }

    /// <summary>Counts one more reference to a frame in.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="packSizeBytes">Size of its pack; 0 when it is counted in later, or was before.</param>
    public void Retain(FrameLocation frame, long packSizeBytes)
    {
        _packs.TryGetValue(frame.Pack, out PackUse before);
        _packs[frame.Pack] = new PackUse(Math.Max(before.SizeBytes, packSizeBytes), before.UsedBytes + frame.Length);
    }

    /// <summary>Counts a reference to a frame out; a pack goes with the last.</summary>
    /// <returns>False when it was not counted in: the table and the pages do not fit together.</returns>
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
/// <param name="UsedBytes">Bytes of its frames, each as often as the manifest refers to it.</param>
internal readonly record struct PackUse(long SizeBytes, long UsedBytes);
