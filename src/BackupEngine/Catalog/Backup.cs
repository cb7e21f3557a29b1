using System.Text.Json;
using System.Text.Json.Serialization;
using BackupEngine.Compression;
using BackupEngine.Diagnostics;
using BackupEngine.Hashing;

namespace BackupEngine.Catalog;

/// <summary>
/// What is known of one backup: its record. The JSON form (snake_case, docs/format.md) is what the container holds, what
/// <c>--json</c> prints and what an exported record carries.
/// </summary>
public sealed record Backup
{
    /// <summary>The backup's id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The volume that was backed up.</summary>
    public required string VolumeId { get; init; }

    /// <summary>A name for people.</summary>
    public string? Name { get; init; }

    /// <summary>A text for people.</summary>
    public string? Description { get; init; }

    /// <summary>Where the backup is in its life.</summary>
    public required BackupStatus Status { get; init; }

    /// <summary>Size of the volume in GiB, rounded up.</summary>
    [JsonPropertyName("size")]
    public long SizeGiB => (SizeBytes + (1L << 30) - 1) >> 30;

    /// <summary>Size of the volume in bytes.</summary>
    [JsonPropertyName("volume_size")]
    public required long SizeBytes { get; init; }

    /// <summary>Objects that this backup wrote: its packs and its manifest.</summary>
    public int ObjectCount { get; init; }

    /// <summary>The container that holds the backup, as its store names it.</summary>
    public string? Container { get; init; }

    /// <summary>When the backup was begun.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the record last changed.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>The moment whose data the backup holds: its beginning, or the snapshot's making.</summary>
    public required DateTimeOffset DataTimestamp { get; init; }

    /// <summary>Gets the time at which the backup was stored, by the store's clock. Null in records of earlier versions, and where the store does not tell times.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? StoredAt { get; init; }

    /// <summary>
    /// Gets the backup's place in the order of the volume's backups: <see cref="StoredAt"/>, or a moment after the latest backup that was there, when the store's clock was behind
    /// that. A backup with a later place was stored later, whatever any clock said.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? OrderedAt { get; init; }

    /// <summary>
    /// Gets a value that indicates whether <see cref="CreatedAt"/> or <see cref="DataTimestamp"/> is more than five minutes later than the time at which the store got the
    /// backup. Such a time is wrong and does not count: the backup does not pass for a later one.
    /// </summary>
    [JsonIgnore]
    public bool HasFutureTimestamp =>
        (StoredAt ?? BackupOrder.GetUsable(RecordModifiedAt)) is { } stored && (BackupOrder.IsFuture(CreatedAt, stored) || BackupOrder.IsFuture(DataTimestamp, stored));

    /// <summary>The snapshot that was read instead of the volume itself.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>The backup that an incremental was compared with; null for a full.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Whether the backup has a parent.</summary>
    public bool IsIncremental => ParentId is not null;

    /// <summary>Whether another backup names this one as its parent. Derived when backups are listed or shown, never stored; null when not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? HasDependentBackups { get; init; }

    /// <summary>The availability zone, for services that have them.</summary>
    public string? AvailabilityZone { get; init; }

    /// <summary>Why <see cref="Status"/> is an error.</summary>
    public string? FailReason { get; init; }

    /// <summary>Gets why the record is as it is; null when a backup wrote it and nothing has happened to it since.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BackupStateReason? StateReason { get; init; }

    /// <summary>Gets the backup that uses the packs of this one, when <see cref="StateReason"/> is <see cref="BackupStateReason.Adopted"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Guid? AdoptedBy { get; init; }

    /// <summary>Keys of the packs that were found damaged or missing, when a repair marked the backup as in error; an incremental that builds on it refers to none of them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DamagedPacks { get; init; }

    /// <summary>Gets false when the volume changed, or may have changed, while it was read; null when no change is known, and in records of earlier versions.</summary>
    [JsonPropertyName("consistent")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? IsConsistent { get; init; }

    /// <summary>The caller's own names and values.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init => field = value ?? _emptyMetadata; } = _emptyMetadata;

    /// <summary>Bytes in a chunk, the same all along a chain.</summary>
    public required int ChunkSize { get; init; }

    /// <summary>The hash of chunks, the same all along a chain.</summary>
    public required ChunkHash Hash { get; init; }

    /// <summary>How new chunks were compressed.</summary>
    public required ChunkCompression Compression { get; init; }

    /// <summary>Bytes read from the volume.</summary>
    public long BytesRead { get; init; }

    /// <summary>Bytes of the volume that differ from the parent (for a full: that are not zero).</summary>
    public long BytesChanged { get; init; }

    /// <summary>Bytes that this backup added to the container: packs and manifest.</summary>
    public long BytesStored { get; init; }

    /// <summary>How long the backup took, in seconds.</summary>
    public double DurationSeconds { get; init; }

    /// <summary>Key of the manifest. The data is found through it, not through <see cref="Id"/>.</summary>
    [JsonPropertyName("manifest")]
    public string? ManifestKey { get; init; }

    /// <summary>SHA-256 of the manifest, 64 lower-case hexadecimal digits.</summary>
    public string? ManifestSha256 { get; init; }

    /// <summary>Version of the engine that wrote the backup.</summary>
    public string? EngineVersion { get; init; }

    /// <summary>
    /// Gets the version of the record's form. An engine that finds a higher version than it knows refuses all operations on the backup, and all that remove data beside it.
    /// Default: 1.
    /// </summary>
    public int RecordVersion { get; init => field = Math.Max(value, 1); } = 1;

    /// <summary>
    /// Gets or sets the members of the record that this engine does not know. They are kept whenever the record is rewritten. Null when there are none. The setter is for
    /// serializers.
    /// </summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? OtherMembers { get; set; }

    /// <summary>What making the backup took of what operations share; only in what <see cref="BackupRepository.BackupAsync"/> returns, never stored.</summary>
    [JsonIgnore]
    public OperationStatistics? Statistics { get; init; }

    /// <summary>Whether this only stands for a record that could not be read.</summary>
    [JsonIgnore]
    internal bool IsUnreadable { get; init; }

    /// <summary>Gets a value that indicates whether the record could not be read because a newer engine wrote it. It is intact, and must be left as it is.</summary>
    [JsonIgnore]
    internal bool IsNewer { get; init; }

    /// <summary>Gets the time at which the record, or of a backup that is being written the intent, was last stored, by the store's clock; null when it was not listed.</summary>
    [JsonIgnore]
    internal DateTimeOffset? RecordModifiedAt { get; init; }

    private static readonly Dictionary<string, string> _emptyMetadata = [];
}
