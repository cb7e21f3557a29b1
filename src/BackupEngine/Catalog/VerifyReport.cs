using BackupEngine.Diagnostics;

namespace BackupEngine.Catalog;

/// <summary>One thing found missing or damaged.</summary>
/// <param name="BackupId">The backup that cannot be restored whole because of it.</param>
/// <param name="Key">The object that is missing or damaged.</param>
/// <param name="Offset">Where in the object, or null for the whole.</param>
/// <param name="VolumeOffset">First byte of the volume that is lost, or null when it is not a matter of single chunks.</param>
/// <param name="VolumeLength">Bytes of the volume that are lost, from <paramref name="VolumeOffset"/>.</param>
/// <param name="Problem">What is wrong, in words.</param>
public sealed record VerifyFinding(Guid BackupId, string Key, long? Offset, long? VolumeOffset, long? VolumeLength, string Problem);

/// <summary>What a verification looked at and found.</summary>
public sealed record VerifyReport
{
    /// <summary>Backups looked at.</summary>
    public required int BackupsChecked { get; init; }

    /// <summary>Gets the backups that this engine cannot check, because a newer engine wrote them. They are not counted as checked.</summary>
    public IReadOnlyList<Guid> BackupsSkipped { get; init; } = [];

    /// <summary>Packs looked at.</summary>
    public required long PacksChecked { get; init; }

    /// <summary>Bytes read from the container.</summary>
    public required long BytesRead { get; init; }

    /// <summary>What is wrong; empty when all is well.</summary>
    public required IReadOnlyList<VerifyFinding> Findings { get; init; }

    /// <summary>
    /// Gets the backups that are marked as damaged although all of their data was read and is intact; a repair makes them available again. Only a complete deep verification
    /// tells.
    /// </summary>
    public IReadOnlyList<Guid> IntactAgain { get; init; } = [];

    /// <summary>Gets the backups whose times are later than the store's clock was when they were stored (<see cref="Backup.HasFutureTimestamp"/>). They can be restored.</summary>
    public IReadOnlyList<Guid> FutureTimestamps { get; init; } = [];

    /// <summary>What it took of what operations share.</summary>
    public OperationStatistics? Statistics { get; init; }
}
