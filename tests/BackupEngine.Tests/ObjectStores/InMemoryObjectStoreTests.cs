using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

public sealed class InMemoryObjectStoreTests : ObjectStoreConformance
{
    [Fact]
    public async Task What_is_stored_does_not_change_with_the_callers_memory()
    {
        byte[] content = [1, 2, 3];
        await Store.PutAsync("k", content, cancellationToken: Cancellation);
        content[0] = 9;
        byte[] read = await Store.GetAllAsync("k", 3, Cancellation);
        Assert.Equal([1, 2, 3], read);
        read[1] = 9;
        Assert.Equal([1, 2, 3], await Store.GetAllAsync("k", 3, Cancellation));
    }

    protected override ValueTask<IObjectStore> CreateEmptyAsync() => ValueTask.FromResult<IObjectStore>(new InMemoryObjectStore());
}
