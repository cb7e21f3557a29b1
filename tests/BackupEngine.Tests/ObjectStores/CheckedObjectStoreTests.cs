using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

/// <summary>A custom store that gives answers which cannot be: each is an error of the store that says so.</summary>
public sealed class CheckedObjectStoreTests
{
    public static TheoryData<string, string> ImpossibleListings => new()
    {
        { "records/a records/a", "twice" },
        { "records/b records/a", "not in order" },
        { "records/a records/b records/a", "not in order" },
        { "records/a other/b", "does not start with the prefix" },
        { "records/a records//b", "not a valid key" },
        { "records/../b", "not a valid key" },
    };

    [Theory]
    [MemberData(nameof(ImpossibleListings))]
    public async Task List_ImpossibleKeys_NamesTheFault(string keys, string expected)
    {
        var store = new CheckedObjectStore(new LyingStore { Listed = [.. keys.Split(' ').Select(key => new ObjectInfo(key, 1, default))] });
        ObjectStoreException e = await FailsAsync(() => ReadAsync(store));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    /// <summary>As of a server that repeats a continuation token: without a check the listing never ends.</summary>
    [Fact]
    public async Task List_EndlessRepetition_Ends()
    {
        var store = new CheckedObjectStore(new LyingStore { Listed = Endless() });
        await FailsAsync(() => ReadAsync(store));

        static IEnumerable<ObjectInfo> Endless()
        {
            while (true)
            {
                yield return new ObjectInfo("records/a", 1, default);
                yield return new ObjectInfo("records/b", 1, default);
            }
        }
    }

    [Fact]
    public async Task List_NegativeSize_NamesTheFault()
    {
        var store = new CheckedObjectStore(new LyingStore { Listed = [new ObjectInfo("records/a", -1, default)] });
        ObjectStoreException e = await FailsAsync(() => ReadAsync(store));
        Assert.Contains("-1 bytes", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(101)]
    [InlineData(int.MaxValue)]
    public async Task Get_ImpossibleCount_NamesTheFault(int count)
    {
        var store = new CheckedObjectStore(new LyingStore { Count = count });
        ObjectStoreException e = await FailsAsync(() => store.GetAsync("records/a", 0, new byte[100], Repositories.Token).AsTask());
        Assert.Contains(count.ToString(System.Globalization.CultureInfo.InvariantCulture), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Head_NegativeSizeOrOtherKey_NamesTheFault()
    {
        await FailsAsync(() => new CheckedObjectStore(new LyingStore { Info = new ObjectInfo("records/a", -5, default) }).HeadAsync("records/a", Repositories.Token).AsTask());
        await FailsAsync(() => new CheckedObjectStore(new LyingStore { Info = new ObjectInfo("records/b", 5, default) }).HeadAsync("records/a", Repositories.Token).AsTask());
        Assert.Null(await new CheckedObjectStore(new LyingStore()).HeadAsync("records/a", Repositories.Token));
    }

    [Fact]
    public async Task GetExactly_StoreReturnsLessThanTheObjectHolds_IsAFaultOfTheStoreAndNotDamage()
    {
        var store = new LyingStore { Count = 40, Info = new ObjectInfo("records/a", 100, default) };
        await FailsAsync(() => store.GetExactlyAsync("records/a", 0, new byte[100], Repositories.Token).AsTask());
        var shortened = new LyingStore { Count = 40, Info = new ObjectInfo("records/a", 40, default) };
        await Assert.ThrowsAsync<CorruptionException>(() => shortened.GetExactlyAsync("records/a", 0, new byte[100], Repositories.Token).AsTask());
    }

    [Fact]
    public async Task Repository_StoreThatListsARecordTwice_IsRefused()
    {
        await using var memory = new InMemoryObjectStore();
        BackupRepository repository = await Repositories.OpenAsync(memory);
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)));
        List<ObjectInfo> listed = [];
        await foreach (ObjectInfo info in memory.ListAsync("records/", Repositories.Token))
            listed.AddRange([info, info]);
        BackupRepository opened = await Repositories.OpenAsync(new LyingStore { Inner = memory, Listed = listed });
        ObjectStoreException e = await FailsAsync(() => opened.ListAsync(cancellationToken: Repositories.Token));
        Assert.Contains("twice", e.Message, StringComparison.Ordinal);
    }

    private static async Task<ObjectStoreException> FailsAsync(Func<Task> call)
    {
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(call);
        Assert.Equal(ObjectStoreError.Failed, e.Error);
        Assert.Contains("fault of the store", e.Message, StringComparison.Ordinal);
        return e;
    }

    private static async Task ReadAsync(CheckedObjectStore store)
    {
        await foreach (ObjectInfo info in store.ListAsync("records/", Repositories.Token))
            Assert.NotEmpty(info.Key);
    }

    private sealed class LyingStore : IObjectStore
    {
        public InMemoryObjectStore Inner { get; init; } = new InMemoryObjectStore();

        public IEnumerable<ObjectInfo> Listed { get; init; } = [];

        public int? Count { get; init; }

        public ObjectInfo? Info { get; init; }

        public string Name => "lying";

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
            Inner.PutAsync(key, content, condition, cancellationToken);

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            Count is { } count ? ValueTask.FromResult(count) : Inner.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => ValueTask.FromResult(Info);

        public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            if (prefix != "records/")
                yield break;
            foreach (ObjectInfo info in Listed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return info;
            }
        }

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => Inner.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
