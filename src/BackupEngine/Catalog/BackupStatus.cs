using System.Text.Json.Serialization;

namespace BackupEngine.Catalog;

/// <summary>Where a backup is in its life; the names are those of OpenStack's Block Storage API.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BackupStatus>))]
public enum BackupStatus
{
    /// <summary>Being written; nothing can be restored from it yet.</summary>
    [JsonStringEnumMemberName("creating")]
    Creating,

    /// <summary>Committed: it can be restored.</summary>
    [JsonStringEnumMemberName("available")]
    Available,

    /// <summary>Being deleted; it can no longer be restored, and a repeated delete goes on.</summary>
    [JsonStringEnumMemberName("deleting")]
    Deleting,

    /// <summary>Damaged or failed; <see cref="Backup.FailReason"/> says how.</summary>
    [JsonStringEnumMemberName("error")]
    Error,

    /// <summary>Being restored: said by services, never by the engine.</summary>
    [JsonStringEnumMemberName("restoring")]
    Restoring,

    /// <summary>A delete failed; deleting again is allowed. Said by services, never by the engine.</summary>
    [JsonStringEnumMemberName("error_deleting")]
    ErrorDeleting,
}
