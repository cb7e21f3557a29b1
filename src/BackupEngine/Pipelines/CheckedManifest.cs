using System.Collections.Concurrent;
using BackupEngine.Catalog;
using BackupEngine.Manifests;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>A manifest whose chunks have been read and checked, for the next of its chain: what both share need not be looked at twice.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Damage">What was found, by page.</param>
/// <param name="UsedBytes">Bytes that its pages refer to, by pack; null when not all of them were looked at.</param>
internal sealed record CheckedManifest(
    Manifest Manifest, IReadOnlyDictionary<long, IReadOnlyList<VerifyFinding>> Damage, IReadOnlyDictionary<PackId, long>? UsedBytes)
{
    /// <summary>Takes a manifest for checked.</summary>
    public static CheckedManifest Trust(Manifest manifest) => new(
        manifest,
        new ConcurrentDictionary<long, IReadOnlyList<VerifyFinding>>(),
        manifest.Packs.Packs.ToDictionary(pack => pack.Key, pack => pack.Value.UsedBytes));

    /// <summary>
    /// Whether frames mean the same in another manifest: of the same chain, whose backup table is only ever appended to. Where a repack has filled the table up, ids may
    /// differ, but only in places that one of the two does not refer to.
    /// </summary>
    public bool IsComparableTo(Manifest other) =>
        Manifest.VolumeId == other.VolumeId && Manifest.Hasher == other.Hasher && Manifest.Geometry.ChunkSize == other.Geometry.ChunkSize
        && GetOwners(Manifest).Intersect(GetOwners(other)).All(ordinal => Manifest.Backups[(int)ordinal] == other.Backups[(int)ordinal]);

    private static IEnumerable<uint> GetOwners(Manifest manifest) => manifest.Packs.Packs.Select(pack => pack.Key.BackupOrdinal).Distinct();
}
