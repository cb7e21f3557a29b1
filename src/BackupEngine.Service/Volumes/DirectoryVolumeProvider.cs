using BackupEngine.Volumes;

namespace BackupEngine.Service.Volumes;

/// <summary>Volumes that are files <c>UUID.img</c> of one directory, and their snapshots beside them. Only the UUIDs of volumes and plain names of snapshots become paths.</summary>
internal sealed class DirectoryVolumeProvider : IVolumeProvider
{
    private const string Extension = ".img";

    private readonly string _directory;
    private readonly string _snapshots;

    public DirectoryVolumeProvider(string directory)
    {
        _directory = Path.GetFullPath(directory);
        _snapshots = Path.Combine(_directory, ".snapshots");
        Directory.CreateDirectory(_directory);
    }

    public string Name => "directory";

    public bool CanCreate => true;

    public IEnumerable<FoundVolume> List()
    {
        foreach (FileInfo file in new DirectoryInfo(_directory).EnumerateFiles("*" + Extension))
        {
            if (Find(Path.GetFileNameWithoutExtension(file.Name)) is { } volume)
            {
                yield return volume;
            }
        }
    }

    public FoundVolume? Find(string volumeId)
    {
        if (!Guid.TryParseExact(volumeId, "D", out Guid id) || id.ToString() != volumeId)
        {
            return null;
        }

        FileInfo file = new(PathOf(volumeId));
        return file.Exists ? new(volumeId, SizeOf(file), null) : null;
    }

    public IWritableVolume Create(string volumeId, long sizeBytes)
    {
        File.Delete(PathOf(volumeId));
        return FileVolume.Create(PathOf(volumeId), sizeBytes);
    }

    public void Delete(string volumeId) => File.Delete(PathOf(volumeId));

    public IVolume OpenRead(string volumeId) => FileVolume.OpenRead(PathOf(volumeId));

    public IWritableVolume OpenWrite(string volumeId) => FileVolume.OpenWrite(PathOf(volumeId));

    public bool TrySnapshot(string volumeId, string snapshotId)
    {
        Directory.CreateDirectory(_snapshots);
        return Reflink.TryCopy(PathOf(volumeId), SnapshotPathOf(snapshotId));
    }

    public async Task CopySnapshotAsync(string volumeId, string snapshotId, CancellationToken cancellationToken)
    {
        if (!TrySnapshot(volumeId, snapshotId))
        {
            await SparseCopy.CopyAsync(PathOf(volumeId), SnapshotPathOf(snapshotId), cancellationToken);
        }
    }

    public IVolume OpenSnapshot(string snapshotId) => FileVolume.OpenRead(SnapshotPathOf(snapshotId));

    public IEnumerable<(string Id, DateTime TakenAt)> ListSnapshots() => Directory.Exists(_snapshots)
        ? new DirectoryInfo(_snapshots).EnumerateFiles("*" + Extension).Select(file => (Path.GetFileNameWithoutExtension(file.Name), file.LastWriteTimeUtc))
        : [];

    public void DeleteSnapshot(string snapshotId)
    {
        if (Directory.Exists(_snapshots))
        {
            File.Delete(SnapshotPathOf(snapshotId));
        }
    }

    // Not opened where that can be helped: a restore wants its target for itself.
    private static long SizeOf(FileInfo file)
    {
        FileSystemInfo target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        return target is FileInfo { Length: > 0 } regular ? regular.Length : DeviceSize.Of(target.FullName);
    }

    private string PathOf(string volumeId) => Path.Combine(_directory, Guid.ParseExact(volumeId, "D") + Extension);

    private string SnapshotPathOf(string snapshotId) => Path.Combine(_snapshots, Path.GetFileName(snapshotId) + Extension);
}
