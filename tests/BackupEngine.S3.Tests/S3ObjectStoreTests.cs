using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;

namespace BackupEngine.S3.Tests;

public sealed class S3ObjectStoreTests : ObjectStoreConformance
{
    protected override async ValueTask<IObjectStore> CreateEmptyAsync() => new S3ObjectStore(await S3TestBucket.NewPlaceAsync());
}
