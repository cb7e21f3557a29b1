using System.Text.Json.Serialization;

namespace BackupEngine.Catalog;

/// <summary>Specifies why the record of a backup is as it is. Programs decide by it; the texts in a record are for readers only.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BackupStateReason>))]
public enum BackupStateReason
{
    /// <summary>The record was lost or damaged, and a repair rebuilt it from the manifest: times may be too late, and name, description and metadata are lost.</summary>
    [JsonStringEnumMemberName("rebuilt")]
    Rebuilt,

    /// <summary>A repair found that data of the backup is damaged or missing. A later repair clears it when the data is intact again.</summary>
    [JsonStringEnumMemberName("damaged")]
    Damaged,

    /// <summary>The writer failed and does not commit this backup; the record is a tombstone.</summary>
    [JsonStringEnumMemberName("writer_failed")]
    WriterFailed,

    /// <summary>The backup was interrupted, and <see cref="Backup.AdoptedBy"/> uses its packs; the record is a tombstone.</summary>
    [JsonStringEnumMemberName("adopted")]
    Adopted,

    /// <summary>The backup was interrupted, and a prune removes what it stored; the record is a tombstone.</summary>
    [JsonStringEnumMemberName("expired")]
    Expired,
}
