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

    /// <summary>The parent of an incremental; null takes the available backup of the volume with the latest data timestamp.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>How new chunks are compressed; need not be the parent's way. Default: LZ4.</summary>
    public ChunkCompression Compression { get; init; } = ChunkCompression.Lz4;

    /// <summary>Bytes in a chunk: a power of two from 4 KiB to 4 MiB. Null: the parent's, or 64 KiB for a full.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>The hash of chunks. Null: the parent's, or <see cref="ChunkHash.XxHash128"/> for a full.</summary>
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
    /// All that may have changed since the parent, in any order; only this is read, the rest is taken from the parent.
    /// Null: the whole volume is read and compared. Needs a parent; name it by <see cref="ParentId"/>. Without, it is the latest available backup, whichever that is by
    /// then; when a later one is there that cannot be the parent, the extents do not count, and the whole volume is read.
    /// </summary>
    public IReadOnlyList<VolumeExtent>? ChangedExtents { get; init; }

    /// <summary>
    /// Whether to look for a backup of this volume that was cut off, and take over what it has stored already, after checking it. Only one whose process is known to be
    /// gone is taken; see <see cref="ResumeId"/>. Default: true.
    /// </summary>
    public bool Resume { get; init; } = true;

    /// <summary>The backup that was cut off and is to be taken over, though its process may have been elsewhere: it must be dead. Null: see <see cref="Resume"/>.</summary>
    public Guid? ResumeId { get; init; }

    /// <summary>The snapshot that is read, to be noted in the record.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>The moment whose data the volume holds. Null: now.</summary>
    public DateTimeOffset? DataTimestamp { get; init; }

    /// <summary>The availability zone, to be noted in the record.</summary>
    public string? AvailabilityZone { get; init; }

    /// <summary>The caller's own names and values, to be noted in the record.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
