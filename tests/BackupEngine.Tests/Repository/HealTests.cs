using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>Damage, from being found to being gone: verify, repair, an incremental that stores anew what is lost, the end of the damaged backups.</summary>
public sealed class HealTests : IAsyncLifetime
{
    private const int VolumeSize = 20_000_000;
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(VolumeSize);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private Backup _child = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _full = await BackUpAsync(incremental: false);
        _content[70_000]++;
        _child = await BackUpAsync(incremental: true);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>What changed since a backup that is no parent any more would be taken for what changed since the one before it.</summary>
    [Fact]
    public async Task Backup_ChangedExtentsWithoutParentId_Throws()
    {
        await new RecordStore(_store).ChangeRecordAsync(_child, now => now with { Status = BackupStatus.Error, FailReason = "for the test" }, Repositories.Token);
        _content[^1]++;
        VolumeExtent sinceChild = new(VolumeSize - 1, 1);
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, ChangedExtents = [sinceChild] };
        ArgumentException error = await Assert.ThrowsAsync<ArgumentException>(() => _repository.FullAsync(new MemoryVolume(_content), options));
        Assert.Contains("name it by ParentId", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<BackupStateException>(() => _repository.FullAsync(new MemoryVolume(_content), options with { ParentId = _child.Id }));
        Backup backup = await _repository.FullAsync(new MemoryVolume(_content), options with { ChangedExtents = null });
        Assert.Equal(_full.Id, backup.ParentId);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(backup), "what changed since the backup in error");

        // Of a parent that is named, the caller knows.
        _content[0]++;
        Backup named = await _repository.FullAsync(new MemoryVolume(_content), options with { ParentId = backup.Id, ChangedExtents = [new VolumeExtent(0, 1)] });
        Assert.Equal(65_536, named.BytesRead);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(named), "the incremental of a parent that is named");
    }

    [LongRunning]
    [Theory]
    [InlineData("flip")]
    [InlineData("remove")]
    [InlineData("cut")]
    public async Task Whatever_pack_of_the_full_is_damaged_the_next_incremental_is_whole(string damage)
    {
        string[] packs = [.. (await _store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.PacksOf(Repositories.VolumeId, _full.Id), StringComparison.Ordinal))];
        Assert.True(packs.Length >= 2, "chunks and pages");
        foreach (string pack in packs)
        {
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await DamageAsync(store, pack, damage);
            Backup healed = await CheckHealingAsync(store, $"{damage} of {pack}");
            Assert.True(healed.BytesStored < VolumeSize * 9 / 10, $"{damage} of {pack}: {healed.BytesStored} bytes were stored");
        }
    }

    [LongRunning]
    [Fact]
    public async Task Random_damage_to_several_packs_heals()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        string[] packs = [.. (await _store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.PacksOf(Repositories.VolumeId), StringComparison.Ordinal))];
        for (int round = 0; round < 10; round++)
        {
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await DamageAsync(store, StoreKeys.Pack(Repositories.VolumeId, _full.Id, 1), "flip");
            for (int damages = random.Next(1, 3); damages > 0; damages--)
                await DamageAsync(store, packs[random.Next(packs.Length)], random.Next(2) == 0 ? "flip" : "cut");
            await CheckHealingAsync(store, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task A_whole_backup_is_a_better_parent_than_a_damaged_one()
    {
        await DamageAsync(_store, StoreKeys.Pack(Repositories.VolumeId, _child.Id, 1), "remove");
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([_child.Id], report.BackupsMarked);
        Backup next = await BackUpAsync(incremental: true);
        Assert.Equal(_full.Id, next.ParentId);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(next), "an incremental of the backup before");
    }

    /// <returns>The incremental that stored anew what was lost.</returns>
    private async Task<Backup> CheckHealingAsync(InMemoryObjectStore store, string what)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        Assert.NotEmpty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
        RepairReport report = await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), report.BackupsMarked.Order());

        byte[] content = [.. _content];
        content[500_000]++;
        Backup next = await repository.BackupAsync(
            new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, MaxMemoryBytes = 16 << 20 }, cancellationToken: Repositories.Token);
        Assert.Equal(_child.Id, next.ParentId);
        await CheckAsync(repository, next, content, what);

        // What is damaged may go, although an incremental descends from it; and the chain goes on.
        await repository.DeleteAsync(_child.Id, Repositories.Token);
        await repository.DeleteAsync(_full.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
        content[0]++;
        Backup last = await repository.IncrementalAsync(new MemoryVolume(content));
        Assert.Equal((next.Id, 65536L), (last.ParentId, last.BytesChanged));
        await CheckAsync(repository, last, content, $"{what}, the next");
        return next;
    }

    private static async Task CheckAsync(BackupRepository repository, Backup backup, byte[] content, string what)
    {
        VerifyReport verified = await repository.VerifyAsync(new VerifyOptions { BackupId = backup.Id, Deep = true }, cancellationToken: Repositories.Token);
        Assert.True(verified.Findings.Count == 0, $"{what}: {string.Join("; ", verified.Findings)}");
        VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), what);
    }

    private static async Task DamageAsync(InMemoryObjectStore store, string key, string damage)
    {
        byte[] pack = await store.GetAllAsync(key, 1 << 30, Repositories.Token);
        if (damage == "remove")
            await store.DeleteAsync(key, Repositories.Token);

        // Every frame is hit: those of pages, the shortest, have some hundred bytes.
        for (int at = 100; at < pack.Length && damage == "flip"; at += 400)
            pack[at]++;
        if (damage != "remove")
            await store.PutAsync(key, damage == "cut" ? pack.AsMemory(0, 50) : pack, cancellationToken: Repositories.Token);
    }

    private Task<Backup> BackUpAsync(bool incremental) => _repository.BackupAsync(
        new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = incremental, MaxMemoryBytes = 16 << 20, Workers = 2 }, cancellationToken: Repositories.Token);
}
