using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Every operation on a store whose listings do not show the record that is just being replaced: what a listing does not show is not taken to be gone.</summary>
public sealed class ReplacedWhileListedTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Rounds = 20;
    private readonly InMemoryObjectStore _base = new();
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private readonly List<Backup> _chain = [];
    private readonly byte[] _content = Repositories.Noise(300_000);

    public async ValueTask InitializeAsync()
    {
        BackupRepository repository = await Repositories.OpenAsync(_base);
        for (int index = 0; index < 4; index++)
        {
            _content[index * 70_000]++;
            Backup backup = index == 0 ? await repository.FullAsync(new MemoryVolume(_content)) : await repository.IncrementalAsync(new MemoryVolume(_content));
            _contents[backup.Id] = [.. _content];
            _chain.Add(backup);
        }
    }

    public ValueTask DisposeAsync() => _base.DisposeAsync();

    [Fact]
    public Task Delete_Parent_IsRefused() => ForEachSeedAsync(async (repository, store) =>
    {
        foreach (Backup parent in _chain.SkipLast(1))
            await Assert.ThrowsAsync<BackupHasDependentsException>(() => repository.DeleteAsync(parent.Id, Repositories.Token));
        await CheckAsync(store, _chain);
    });

    [Fact]
    public Task Delete_LastOfChain_KeepsWhatOthersNeed() => ForEachSeedAsync(async (repository, store) =>
    {
        await repository.DeleteAsync(_chain[^1].Id, Repositories.Token);
        await CheckAsync(store, _chain.SkipLast(1));
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "after the delete");
    });

    [Fact]
    public Task Prune_WithoutRules_RemovesAndReportsNothing() => ForEachSeedAsync(async (repository, store) =>
    {
        PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);
        Assert.Equal((0L, 0L, 4), (report.PacksRemoved, report.ManifestsRemoved, report.BackupsKept));
        Assert.Empty(report.Unreferenced);
        await CheckAsync(store, _chain);
    });

    [Fact]
    public Task Prune_Retention_KeepsTheNewest() => ForEachSeedAsync(async (repository, store) =>
    {
        PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 2 }, Repositories.Token);
        Assert.Equal(_chain.Take(2).Select(backup => backup.Id).Order(), report.BackupsRemoved.Order());
        await CheckAsync(store, _chain.Skip(2));
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "after the retention");
    });

    [Fact]
    public Task Repack_Chain_LosesNothing() => ForEachSeedAsync(async (repository, store) =>
    {
        await repository.PruneAsync(new PruneOptions { KeepLast = 2, RepackBelowPercent = 99 }, Repositories.Token);
        await CheckAsync(store, _chain.Skip(2));
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, "after the repack");
    });

    [Fact]
    public Task Repair_IntactRepository_ChangesNothing() => ForEachSeedAsync(async (repository, store) =>
    {
        RepairReport report = await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.RecordsRebuilt.Concat(report.BackupsMarked).Concat(report.BackupsCleared));
        Assert.Empty(report.Findings);
        await CheckAsync(store, _chain);
    });

    [Fact]
    public Task Verify_AllBackups_ChecksEach() => ForEachSeedAsync(async (repository, _) =>
    {
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Equal(4, report.BackupsChecked);
        Assert.Empty(report.Findings);
    });

    [Fact]
    public Task Backup_Incremental_BuildsOnTheLatest() => ForEachSeedAsync(async (repository, store) =>
    {
        byte[] content = [.. _content];
        content[^1]++;
        Backup next = await repository.IncrementalAsync(new MemoryVolume(content));
        Assert.Equal(_chain[^1].Id, next.ParentId);
        _contents[next.Id] = content;
        await CheckAsync(store, [.. _chain, next]);
    });

    [Fact]
    public Task List_AndGet_FindAllBackups() => ForEachSeedAsync(async (repository, _) =>
    {
        Assert.Equal(_chain.Select(backup => backup.Id).Order(), (await repository.ListAsync(cancellationToken: Repositories.Token)).Select(backup => backup.Id).Order());
        foreach (Backup backup in _chain)
            Assert.Equal(backup.Id != _chain[^1].Id, (await repository.GetAsync(backup.Id, Repositories.Token)).HasDependentBackups);
        Assert.Equal(_chain[^1].Id, (await repository.FindAsync("latest", cancellationToken: Repositories.Token)).Id);
    });

    private async Task ForEachSeedAsync(Func<BackupRepository, InMemoryObjectStore, Task> check)
    {
        int seed = TestSeed.Next();
        int omitted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            await using InMemoryObjectStore store = await _base.CloneAsync();
            await using var replacing = new ReplacedWhileListedStore(store, unchecked(seed + round));
            await check(await Repositories.OpenAsync(replacing), store);
            omitted += replacing.Omitted;
        }

        output.WriteLine($"seed {seed}: {omitted} records were omitted");
        Assert.True(omitted >= Rounds, "no listing omitted a record");
    }

    private async Task CheckAsync(IObjectStore store, IEnumerable<Backup> expected)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        IReadOnlyList<Backup> left = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(expected.Select(backup => backup.Id).Order(), left.Select(backup => backup.Id).Order());
        foreach (Backup backup in left)
            VolumeAssert.Same(_contents[backup.Id], await repository.RestoreOverAsync(backup), $"backup {backup.Id}");
    }
}
