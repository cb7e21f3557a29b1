using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Limits;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Backups go from a chain in two ways at once: by a person, and by rules.</summary>
public sealed class DeleteBesidePruneTests : IAsyncLifetime
{
    /// <summary>Of the chain below they keep the first and the last.</summary>
    private static readonly PruneOptions _rules = new() { KeepLast = 1, KeepMonthly = 12 };

    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero));
    private readonly InMemoryObjectStore _store;
    private readonly byte[] _content = Repositories.Noise(1_000_000);
    private BackupRepository _repository = null!;
    private Backup _first = null!;
    private Backup _third = null!;
    private Backup _last = null!;

    public DeleteBesidePruneTests() => _store = new InMemoryObjectStore(_clock);

    /// <summary>The second of four is gone: the third says nothing of the first any more, but that it needs its packs.</summary>
    public async ValueTask InitializeAsync()
    {
        _repository = await OpenAsync(_store);
        _first = await _repository.FullAsync(new MemoryVolume(_content));
        await AddAsync();
        _third = await AddAsync();
        Assert.Single((await _repository.PruneAsync(_rules, Repositories.Token)).BackupsRemoved);
        _last = await AddAsync();
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>The last names it as its parent, so it was not asked; and the third was not asked because it was going.</summary>
    [Fact]
    public async Task The_first_can_be_deleted_while_a_prune_of_the_third_was_cut_off()
    {
        await using var failing = new FullStore(_store)
        {
            BeforeDelete = keys => keys.Any(key => StoreKeys.TryParseManifest(key, out _, out _)) ? throw new ObjectStoreException(ObjectStoreError.Unavailable, null, "cut off") : Task.CompletedTask,
        };
        await Assert.ThrowsAsync<ObjectStoreException>(async () => await (await OpenAsync(failing)).PruneAsync(_rules, Repositories.Token));
        Assert.Equal(BackupStatus.Deleting, (await _repository.GetAsync(_third.Id, Repositories.Token)).Status);

        await _repository.DeleteAsync(_first.Id, Repositories.Token);
        await AssertLastIsWholeAsync();
    }

    [Fact]
    public async Task The_first_can_be_deleted_while_the_third_goes_just_before_it_is_asked()
    {
        bool isPruned = false;
        await using var watched = new WatchedStore(_store, async (key, _) =>
        {
            if (key != _third.ManifestKey || isPruned)
                return;
            isPruned = true;
            await _repository.PruneAsync(_rules, Repositories.Token);
        });
        await (await OpenAsync(watched)).DeleteAsync(_first.Id, Repositories.Token);
        Assert.True(isPruned);
        await AssertLastIsWholeAsync();
    }

    /// <summary>The one that the rule kept was gone by the time the other was removed: none was left.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_prune_removes_nothing_when_what_a_rule_keeps_goes_while_it_looks(bool isDeclaredDead)
    {
        await _repository.PruneAsync(_rules, Repositories.Token);
        bool isDeleted = false;
        await using var watched = new WatchedStore(_store, async (key, _) =>
        {
            if (key != _last.ManifestKey || isDeleted)
                return;
            isDeleted = true;
            if (isDeclaredDead)
            {
                _clock.Now += TimeSpan.FromDays(2);
                await _repository.PruneAsync(new PruneOptions { BreakIntents = true }, Repositories.Token);
            }

            await _repository.DeleteAsync(_last.Id, Repositories.Token);
        });
        BackupRepository pruning = await OpenAsync(watched);
        await Assert.ThrowsAsync<BackupStateException>(() => pruning.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token));
        Assert.True(isDeleted);
        Backup left = Assert.Single(await _repository.ListAsync(cancellationToken: Repositories.Token));
        Assert.Equal((_first.Id, BackupStatus.Available), (left.Id, left.Status));
        VolumeAssert.Same(Repositories.Noise(_content.Length), await _repository.RestoreOverAsync(left), "the one that is left");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after that");
    }

    private Task<BackupRepository> OpenAsync(IObjectStore store) =>
        BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { TimeProvider = _clock }, Repositories.Token);

    private Task<Backup> AddAsync()
    {
        _clock.Now += TimeSpan.FromDays(1);
        _content[0]++;
        return _repository.IncrementalAsync(new MemoryVolume(_content));
    }

    private async Task AssertLastIsWholeAsync()
    {
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(_last), "the last");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the delete");
        Assert.Equal([_last.Id], (await _repository.ListAsync(cancellationToken: Repositories.Token)).Select(backup => backup.Id));
    }
}
