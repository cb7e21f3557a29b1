using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;

namespace BackupEngine.Tests.Volumes;

public sealed class MemoryVolumeConformanceTests : ByteSizedVolumeConformance
{
    protected override Task<IWritableVolume> OpenAsync(byte[] content) => Task.FromResult<IWritableVolume>(new MemoryVolume(content));
}
