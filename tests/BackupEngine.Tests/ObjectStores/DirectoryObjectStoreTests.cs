using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;

namespace BackupEngine.Tests.ObjectStores;

public sealed class DirectoryObjectStoreTests : ObjectStoreConformance
{
    private readonly string _path = Directory.CreateTempSubdirectory("objects").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_path, recursive: true);
    }

    protected override ValueTask<IObjectStore> CreateEmptyAsync() => ValueTask.FromResult<IObjectStore>(new DirectoryObjectStore(_path));
}
