using BackupEngine.Chunking;
using BackupEngine.Hashing;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Manifests;

/// <summary>
/// The complete chunk map of one backup, but for the pages themselves: those are frames in packs, of this backup or of an ancestor, and the
/// page table says where. What it holds is not changed once it is read or written.
/// </summary>
internal sealed record Manifest
{
    /// <summary>The id under which the backup was written: part of the keys of its packs.</summary>
    public required Guid BackupId { get; init; }

    /// <summary>The parent's <see cref="BackupId"/>.</summary>
    public required Guid? ParentId { get; init; }

    /// <summary>The volume under whose prefix all packs of the chain lie.</summary>
    public required string VolumeId { get; init; }

    public required VolumeGeometry Geometry { get; init; }

    public required ChunkHasher Hasher { get; init; }

    /// <summary>
    /// The backups of the chain by their ordinals; the last is this one, under the id that it first had. Only ever appended to along a chain, so that pages of ancestors
    /// stay valid. Where a repack made it longer than the chain, an id fills the gap up to the ordinal that it has in all manifests of the chain.
    /// </summary>
    public required IReadOnlyList<Guid> Backups { get; init; }

    public required PackTable Packs { get; init; }

    public required PageTable Pages { get; init; }

    /// <summary>This backup's own ordinal.</summary>
    public uint Ordinal => (uint)Backups.Count - 1;

    public string Key => StoreKeys.Manifest(VolumeId, BackupId);

    /// <summary>Whether a page is the very one that another manifest of the chain has: whoever has looked at that one need not look again.</summary>
    public bool HasPageOf(Manifest? other, long number)
    {
        FrameLocation location = Pages[number].Location;
        return other is not null && other.VolumeId == VolumeId && other.Pages[number].Location == location
            && other.Backups[(int)location.BackupOrdinal] == Backups[(int)location.BackupOrdinal];
    }

    /// <summary>The key of a pack of the chain.</summary>
    /// <exception cref="CorruptionException">No backup of the chain has that ordinal.</exception>
    public string GetPackKey(PackId pack) => pack.BackupOrdinal < Backups.Count
        ? StoreKeys.Pack(VolumeId, Backups[(int)pack.BackupOrdinal], pack.Sequence)
        : throw new CorruptionException(Key, null, $"it refers to backup {pack.BackupOrdinal} of a chain of {Backups.Count}");
}
