using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

public sealed class CountingObjectStoreTests : ObjectStoreConformance
{
    [Fact]
    public async Task Calls_are_counted_by_kind_and_failed_ones_too()
    {
        CountingObjectStore store = (CountingObjectStore)Store;
        await store.PutAsync("a", Bytes(1), cancellationToken: Cancellation);
        await store.PutAsync("b", Bytes(1), cancellationToken: Cancellation);
        await FailsAsync(ObjectStoreError.NotFound, async () => await store.GetAsync("none", 0, new byte[1], Cancellation));
        await store.HeadAsync("a", Cancellation);
        await ListAsync("");
        await store.DeleteAsync(["a", "b"], Cancellation);
        Assert.Equal(new RequestCounts(Put: 2, Get: 1, Head: 1, List: 1, Delete: 1), store.Counts);
    }

    [Fact]
    public async Task Counts_of_calls_at_once_are_exact()
    {
        CountingObjectStore store = (CountingObjectStore)Store;
        await Parallel.ForAsync(0, 1000, Cancellation, async (i, token) => await store.HeadAsync($"{i}", token));
        Assert.Equal(1000, store.Counts.Head);
    }

    protected override ValueTask<IObjectStore> CreateEmptyAsync() =>
        ValueTask.FromResult<IObjectStore>(new CountingObjectStore(new InMemoryObjectStore()));
}
