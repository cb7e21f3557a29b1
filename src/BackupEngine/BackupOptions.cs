using BackupEngine.Compression;
using BackupEngine.Hashing;
using BackupEngine.Limits;
using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>What to back up, and how.</summary>
public sealed record BackupOptions
{
    /// <summary>The volume's id: 1 to 128 characters of <c>[A-Za-z0-9._-]</c>, the first a letter or digit. A UUID is usual.</summary>
    public required string VolumeId { get; init; }

    /// <summary>
    /// The new backup's id; null draws one. An id must be new at every attempt, also after one that failed: what others do just then may still concern what that one stored.
    /// </summary>
    public Guid? BackupId { get; init; }

    /// <summary>A name for people.</summary>
    public string? Name { get; init; }

    /// <summary>A text for people.</summary>
    public string? Description { get; init; }

    /// <summary>Whether to store only what differs from a parent; implied by <see cref="ParentId"/>. Default: false.</summary>
    public bool Incremental { get; init; }

    /// <summary>Gets the parent of an incremental; null takes the available backup of the volume that was stored last.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>How new chunks are compressed; need not be the parent's way. Default: LZ4.</summary>
    public ChunkCompression Compression { get; init; } = ChunkCompression.Lz4;

    /// <summary>Bytes in a chunk: a power of two from 4 KiB to 4 MiB. Null: the parent's, or 64 KiB for a full.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>
    /// Gets the hash of chunks. Null: the parent's, or <see cref="ChunkHash.Blake3"/> for a full. A chain keeps its hash. When an incremental continues a chain with
    /// <see cref="ChunkHash.XxHash128"/> and this is null, a warning is logged.
    /// </summary>
    public ChunkHash? Hash { get; init; }

    /// <summary>Workers that read, hash and compress, 1 to 256. Null: one for each processor.</summary>
    public int? Workers { get; init; }

    /// <summary>Bound on the memory for buffers, in bytes, from 16 MiB. Default: 192 MiB.</summary>
    public long MaxMemoryBytes { get; init; } = 192L << 20;

    /// <summary>Who goes first when operations wait for their share of <see cref="RepositoryOptions.Limits"/>. Default: normal.</summary>
    public OperationPriority Priority { get; init; } = OperationPriority.Normal;

    /// <summary>Pauses and resumes the operation. Null: it cannot be paused.</summary>
    public PauseSwitch? Pause { get; init; }

    /// <summary>
    /// Gets all that may have changed since the backup <see cref="ParentId"/>, in any order; only this is read, the rest is taken from the parent.
    /// Null: the whole volume is read and compared. <see cref="ParentId"/> is required: the extents are true of one parent only, and the backup that was stored last may be another
    /// than the one that the caller compared with.
    /// </summary>
    public IReadOnlyList<VolumeExtent>? ChangedExtents { get; init; }

    /// <summary>
    /// Whether to look for a backup of this volume that was cut off, and take over what it has stored already, after checking it. Only one whose process is known to be
    /// gone is taken; see <see cref="ResumeId"/>. Default: true.
    /// </summary>
    public bool Resume { get; init; } = true;

    /// <summary>The backup that was cut off and is to be taken over, though its process may have been elsewhere: it must be dead. Null: see <see cref="Resume"/>.</summary>
    public Guid? ResumeId { get; init; }

    /// <summary>
    /// Gets whether a volume may be backed up that changes, or may change, while it is read: one that is mounted read-write, in use by a virtual machine, or that
    /// implements <see cref="IVolumeVersion"/> and reports a change. The record then says that the backup is inconsistent. Default: false, which fails the backup.
    /// </summary>
    public bool AllowInconsistent { get; init; }

    /// <summary>
    /// Gets whether holes are read like data, for volumes whose storage reports holes that it does not have, such as ZFS before 2.2.2. Holes where the parent has data
    /// are read anyway. Default: false.
    /// </summary>
    public bool ReadHoles { get; init; }

    /// <summary>The snapshot that is read, to be noted in the record.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>
    /// Gets the moment whose data the volume holds. Null: now. It is a statement about the data and decides in which day, week and month retention counts the backup. It does not
    /// decide which backup is <c>latest</c>: a backup of an old snapshot that is made now is the one that was stored last. A moment that is later than the store's clock does not count.
    /// </summary>
    public DateTimeOffset? DataTimestamp { get; init; }

    /// <summary>The availability zone, to be noted in the record.</summary>
    public string? AvailabilityZone { get; init; }

    /// <summary>The caller's own names and values, to be noted in the record.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
