using System.Text.Json;
using System.Text.Json.Serialization;

namespace BackupEngine.Catalog;

/// <summary>Who is writing a backup right now (or was, until it died): there before the first of its objects, and gone after its record is.</summary>
internal sealed record Intent
{
    /// <summary>The backup as far as it is known: above all its id, its parent, and the manifest that it will have or (an import) names.</summary>
    public required Backup Backup { get; init; }

    /// <summary>The process that writes; null when the intent cannot be read.</summary>
    public ProcessIdentity? Writer { get; init; }

    /// <summary>Backups that were cut off and whose packs this one takes over.</summary>
    public IReadOnlyList<Guid> Resumes { get; init => field = value ?? []; } = [];

    /// <summary>Backups whose data is being repacked; then <see cref="Backup"/> only says under which id, and where.</summary>
    public IReadOnlyList<Guid> Repacks { get; init => field = value ?? []; } = [];

    /// <summary>Ids of the manifests that a repack stores.</summary>
    public IReadOnlyList<Guid> Manifests { get; init => field = value ?? []; } = [];

    /// <summary>Gets the members that this engine does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? OtherMembers { get; set; }

    /// <summary>Ids under which data is stored, or was and is taken over, that no record names yet.</summary>
    [JsonIgnore]
    public IEnumerable<Guid> DataIds => [Backup.Id, .. Resumes, .. Manifests];

    /// <summary>Whether it is no backup that is being made.</summary>
    [JsonIgnore]
    public bool IsRepack => Repacks.Count > 0;

    /// <summary>Whether it is that of an import, which stores nothing: it names the digest of a manifest that is there.</summary>
    [JsonIgnore]
    public bool IsImport => Backup.ManifestSha256 is not null;

    /// <summary>Why the intent cannot be read; null when it can. Of one that cannot be read, only id and volume are known: it may concern anything.</summary>
    [JsonIgnore]
    public string? Damage { get; init; }

    /// <summary>Gets a value that indicates whether the intent cannot be read because a newer engine wrote it.</summary>
    [JsonIgnore]
    public bool IsNewer { get; init; }

    /// <summary>When it was stored, by the store's clock.</summary>
    [JsonIgnore]
    public DateTimeOffset StoredAt { get; init; }

    /// <summary>Gets a value that changes with every refresh, so that a copy of the writer in a cloned machine is noticed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Refresh { get; init; }

    /// <summary>What the process that looks knows of its own writers.</summary>
    [JsonIgnore]
    public LocalWriters Observer { get; init; } = LocalWriters.Current;

    /// <summary>Gets a value that indicates whether the intent was not refreshed for so long that its writer is considered stale.</summary>
    [JsonIgnore]
    public bool IsStale { get; init; }

    /// <summary>Gets a value that indicates whether it is known that its writer has exited, or gave the backup up.</summary>
    [JsonIgnore]
    public bool HasExited => Writer is not null && Observer.HasExited(Writer, Backup.Id);

    /// <summary>
    /// Gets a value that indicates whether the writer has exited or is considered stale. It may be active all the same, so a tombstone record in the backup's place comes before
    /// anything that it could still commit is removed.
    /// </summary>
    [JsonIgnore]
    public bool IsDead => HasExited || IsStale;

    /// <summary>Whether a backup, or the data that it names, must stay because of this intent.</summary>
    public bool Needs(Backup backup) =>
        Damage is not null
        || Backup.ParentId == backup.Id
        || Resumes.Contains(backup.Id)
        || Repacks.Contains(backup.Id)
        || (Backup.Id != backup.Id && Backup.ManifestKey is not null && Backup.ManifestKey == backup.ManifestKey);

    /// <summary>Whether a repack may have a replacement of a backup's record under way, even when it is dead.</summary>
    public bool MayReplace(Backup backup) =>
        Repacks.Contains(backup.Id) || (Damage is not null && IntentStore.DataOf(backup).VolumeId == Backup.VolumeId);

    /// <summary>Who it is, for messages.</summary>
    public override string ToString() =>
        $"{(IsRepack ? "repack" : "backup")} {Backup.Id} of volume {Backup.VolumeId}{(Writer is null ? "" : $" by process {Writer.ProcessId} on {Writer.Host}")}, since {StoredAt:u}";
}
