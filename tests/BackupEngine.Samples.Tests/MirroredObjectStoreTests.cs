using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using CustomStore;

namespace BackupEngine.Samples.Tests;

/// <summary>The sample of a store keeps the contract that every store keeps.</summary>
public sealed class MirroredObjectStoreTests : ObjectStoreConformance
{
    protected override ValueTask<IObjectStore> CreateEmptyAsync() => new(new MirroredObjectStore(new InMemoryObjectStore(), new InMemoryObjectStore()));
}
