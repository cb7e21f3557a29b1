using BackupEngine.Volumes;

namespace BackupEngine.Service.Volumes;

/// <summary>Block devices that the configuration lists. They can be backed up and restored to, not made or removed.</summary>
internal sealed class DeviceVolumeProvider(IEnumerable<DeviceOptions> devices) : IVolumeProvider
{
    private readonly Dictionary<string, DeviceOptions> _devices = devices.ToDictionary(device => device.Id.ToString());

    public string Name => "device";

    public bool CanCreate => false;

    public IEnumerable<FoundVolume> List() => _devices.Keys.Select(Find).OfType<FoundVolume>();

    public FoundVolume? Find(string volumeId)
    {
        if (!_devices.TryGetValue(volumeId, out DeviceOptions? device) || !File.Exists(device.Path))
        {
            return null;
        }

        return new(volumeId, DeviceSize.Of(device.Path), device.Name);
    }

    public IVolume OpenRead(string volumeId) => FileVolume.OpenRead(PathOf(volumeId));

    public IWritableVolume OpenWrite(string volumeId) => FileVolume.OpenWrite(PathOf(volumeId));

    public bool TrySnapshot(string volumeId, string snapshotId) => false;

    public IWritableVolume Create(string volumeId, long sizeBytes) => throw Fixed(volumeId);

    public void Delete(string volumeId) => throw Fixed(volumeId);

    public Task CopySnapshotAsync(string volumeId, string snapshotId, CancellationToken cancellationToken) => throw Fixed(volumeId);

    public IVolume OpenSnapshot(string snapshotId) => throw Fixed(snapshotId);

    public IEnumerable<(string Id, DateTime TakenAt)> ListSnapshots() => [];

    public void DeleteSnapshot(string snapshotId)
    {
        // There are none.
    }

    private static NotSupportedException Fixed(string id) => new($"{id}: block devices of the configuration have no snapshots and cannot be made or removed.");

    private string PathOf(string volumeId) => _devices.TryGetValue(volumeId, out DeviceOptions? device)
        ? device.Path
        : throw new VolumeException(volumeId, $"{volumeId} is no longer among the configured devices.");
}
