using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;

namespace BackupEngine.Tests.Volumes;

/// <summary>A real block device.</summary>
public sealed class LoopDeviceConformanceTests : VolumeConformance, IDisposable
{
    private const int SectorSize = 512;

    private readonly ScratchDirectory _directory = new();
    private readonly List<LoopDevice> _devices = [];

    public void Dispose()
    {
        foreach (LoopDevice device in _devices)
            device.Dispose();
        _directory.Dispose();
    }

    protected override int Round(int size) => (size + SectorSize - 1) / SectorSize * SectorSize;

    protected override Task<IWritableVolume> OpenAsync(byte[] content)
    {
        Requires.LoopDevices();
        string backing = _directory.File($"{Guid.NewGuid():N}.img");
        VolumeModel.Of(content).WriteTo(backing);
        LoopDevice device = LoopDevice.Attach(backing);
        _devices.Add(device);
        return Task.FromResult<IWritableVolume>(FileVolume.OpenWrite(device.Path));
    }
}
