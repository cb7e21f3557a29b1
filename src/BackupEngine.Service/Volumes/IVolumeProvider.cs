using BackupEngine.Volumes;

namespace BackupEngine.Service.Volumes;

/// <summary>Holds the bytes of volumes; the catalog holds the rest.</summary>
internal interface IVolumeProvider
{
    /// <summary>What the catalog calls the provider.</summary>
    string Name { get; }

    /// <summary>Whether volumes can be made and removed.</summary>
    bool CanCreate { get; }

    /// <summary>All volumes that are there.</summary>
    IEnumerable<FoundVolume> List();

    /// <summary>The volume with an id, or null when there is none.</summary>
    FoundVolume? Find(string volumeId);

    /// <summary>Makes a volume of zeros and opens it; one that is there from an earlier try is emptied.</summary>
    IWritableVolume Create(string volumeId, long sizeBytes);

    /// <summary>Removes a volume; none is no error.</summary>
    void Delete(string volumeId);

    IVolume OpenRead(string volumeId);

    IWritableVolume OpenWrite(string volumeId);

    /// <summary>Freezes the bytes of a volume under an id of their own, sharing them with the volume, at once.</summary>
    /// <returns>False when the storage cannot share bytes.</returns>
    bool TrySnapshot(string volumeId, string snapshotId);

    /// <summary>Freezes the bytes of a volume that nobody writes to, by copying where they cannot be shared.</summary>
    Task CopySnapshotAsync(string volumeId, string snapshotId, CancellationToken cancellationToken);

    IVolume OpenSnapshot(string snapshotId);

    /// <summary>The snapshots that are there, and when they were taken.</summary>
    IEnumerable<(string Id, DateTime TakenAt)> ListSnapshots();

    /// <summary>Removes a snapshot; none is no error.</summary>
    void DeleteSnapshot(string snapshotId);
}
