using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;

namespace BackupEngine.Tests.Volumes;

/// <summary>An image file on the file system that holds temporary files.</summary>
public class FileVolumeConformanceTests : ByteSizedVolumeConformance, IDisposable
{
    private readonly ScratchDirectory _directory;

    public FileVolumeConformanceTests()
        : this(new ScratchDirectory())
    {
    }

    protected FileVolumeConformanceTests(ScratchDirectory directory)
    {
        _directory = directory;
    }

    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override Task<IWritableVolume> OpenAsync(byte[] content)
    {
        string path = _directory.File($"{Guid.NewGuid():N}.img");
        VolumeModel.Of(content).WriteTo(path);
        return Task.FromResult<IWritableVolume>(FileVolume.OpenWrite(path));
    }
}
