using System.Text.Json.Serialization;

namespace BackupEngine.Catalog;

/// <summary>Specifies what kind of data a prune found that no backup refers to.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UnreferencedKind>))]
public enum UnreferencedKind
{
    /// <summary>A manifest that no record names, with the packs that only it needs. A repair rebuilds its record.</summary>
    [JsonStringEnumMemberName("manifest_without_record")]
    ManifestWithoutRecord,

    /// <summary>A manifest that no record names and that cannot be read.</summary>
    [JsonStringEnumMemberName("unreadable_manifest")]
    UnreadableManifest,

    /// <summary>Packs that no manifest refers to, and of whose deletion nothing is known.</summary>
    [JsonStringEnumMemberName("packs_without_manifest")]
    PacksWithoutManifest,
}

/// <summary>Data that no backup refers to and that a prune keeps, because nothing says that it was to be removed.</summary>
/// <param name="VolumeId">The volume under whose prefix the data lies.</param>
/// <param name="BackupId">The id under which it was written.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Objects">The number of objects.</param>
/// <param name="Bytes">The size of the objects, in bytes.</param>
/// <param name="NewestAt">When the newest of the objects was stored, by the store's clock.</param>
/// <param name="Removed">Whether the prune removed the data, or with <see cref="PruneOptions.DryRun"/> would, because <see cref="PruneOptions.RemoveOrphans"/> asks for it.</param>
public sealed record UnreferencedData(string VolumeId, Guid BackupId, UnreferencedKind Kind, long Objects, long Bytes, DateTimeOffset NewestAt, bool Removed);
