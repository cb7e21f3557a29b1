using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;

namespace BackupEngine.Tests.Volumes;

/// <summary>A real block device.</summary>
public sealed class LoopDeviceConformanceTests : VolumeConformance, IDisposable
{
    private const int SectorSize = 512;

    private readonly List<LoopDevice> _devices = [];

    public void Dispose()
    {
        foreach (LoopDevice device in _devices)
            device.Dispose();
    }

    protected override int Round(int size) => (size + SectorSize - 1) / SectorSize * SectorSize;

    protected override async Task<IWritableVolume> OpenAsync(byte[] content)
    {
        LoopDevice.Require();
        LoopDevice device = LoopDevice.Create(content.Length);
        _devices.Add(device);
        await using FileVolume filling = FileVolume.OpenWrite(device.Path);
        await filling.WriteAsync(content, 0, Cancellation);
        await filling.FlushAsync(Cancellation);
        await filling.DisposeAsync();
        return FileVolume.OpenWrite(device.Path);
    }
}
