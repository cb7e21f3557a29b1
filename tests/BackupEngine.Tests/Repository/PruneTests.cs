using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using Xunit;

namespace BackupEngine.Tests.Repository;

public sealed class PruneTests : IAsyncDisposable
{
    private static readonly DateTimeOffset _monday = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly ManualClock _clock = new(DateTimeOffset.UtcNow);
    private readonly InMemoryObjectStore _store;
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private byte[] _content = Repositories.Noise(500_000);

    public PruneTests() => _store = new InMemoryObjectStore(_clock);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Without_rules_and_garbage_nothing_changes()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await AddAsync(repository, _monday);
        await AddAsync(repository, _monday.AddDays(1));
        List<string> before = await _store.ListKeysAsync();
        PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);
        Assert.Equal((0, 2, 0L, 0L, 0L), (report.BackupsRemoved.Count, report.BackupsKept, report.ManifestsRemoved, report.PacksRemoved, report.BytesRemoved));
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Theory]
    [InlineData(1, null, null, null, new[] { 9 })]
    [InlineData(3, null, null, null, new[] { 7, 8, 9 })]
    [InlineData(99, null, null, null, new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })]
    [InlineData(null, 2, null, null, new[] { 7, 9 })]
    [InlineData(null, null, 2, null, new[] { 6, 9 })]
    [InlineData(null, null, null, 2, new[] { 5, 9 })]
    [InlineData(2, 1, 1, 3, new[] { 3, 5, 8, 9 })]
    public async Task Rules_keep_the_newest_of_each_period_and_anything_else_goes_from_anywhere_in_the_chain(int? last, int? daily, int? weekly, int? monthly, int[] expected)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        DateTimeOffset[] times =
        [
            _monday.AddMonths(-2), _monday.AddMonths(-2).AddDays(1), _monday.AddMonths(-2).AddDays(1).AddHours(1), _monday.AddMonths(-2).AddDays(20), // April
            _monday.AddDays(-2), _monday.AddDays(-1), // Saturday and Sunday, May
            _monday, _monday.AddDays(7), _monday.AddDays(8), _monday.AddDays(8).AddHours(1), // June: week 23, week 24
        ];
        List<Guid> ids = [];
        foreach (DateTimeOffset time in times)
            ids.Add((await AddAsync(repository, time)).Id);
        await StoreOtherVolumeAsync(repository);

        var options = new PruneOptions { VolumeId = Repositories.VolumeId, KeepLast = last, KeepDaily = daily, KeepWeekly = weekly, KeepMonthly = monthly };
        List<string> before = await _store.ListKeysAsync();
        PruneReport looked = await repository.PruneAsync(options with { DryRun = true }, Repositories.Token);
        Assert.Equal(before, await _store.ListKeysAsync());
        PruneReport report = await repository.PruneAsync(options, Repositories.Token);
        Assert.Equal(ids.Where((_, index) => !expected.Contains(index)).Order(), report.BackupsRemoved.Order());
        Assert.Equal((looked.BackupsRemoved.Count, looked.PacksRemoved, looked.ManifestsRemoved, looked.BytesRemoved), (report.BackupsRemoved.Count, report.PacksRemoved, report.ManifestsRemoved, report.BytesRemoved));
        Assert.Equal(before.Count - (await _store.ListKeysAsync()).Count, report.PacksRemoved + report.ManifestsRemoved + report.BackupsRemoved.Count);
        await CheckAsync(repository, expected.Select(index => ids[index]));
        Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Random_chains_pruned_in_random_ways_keep_restoring_and_leave_only_what_is_needed()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        for (int round = 0; round < 12; round++)
        {
            for (int adding = random.Next(1, 4); adding > 0; adding--)
                await AddAsync(repository, _monday.AddDays(round).AddHours(adding), full: random.Next(5) == 0);
            IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
            Guid[] leaves = [.. backups.Where(backup => backup.HasDependentBackups == false).Select(backup => backup.Id)];
            if (random.Next(3) == 0 && leaves.Length > 0)
                await repository.DeleteAsync(leaves[random.Next(leaves.Length)], Repositories.Token);
            if (random.Next(2) == 0)
                await repository.PruneAsync(new PruneOptions { KeepLast = random.Next(1, 6) }, Repositories.Token);
            foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
                VolumeAssert.Same(_contents[backup.Id], await repository.RestoreOverAsync(backup), $"seed {seed}, round {round}, backup {backup.Id}");
            Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
        }
    }

    [Fact]
    public async Task Prune_UnreferencedData_ReportsAndKeepsIt()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup kept = await AddAsync(repository, _monday);
        Backup lost = await AddAsync(repository, _monday.AddDays(1));
        var stray = Guid.NewGuid();
        await _store.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
        await _store.PutAsync(StoreKeys.Pack("volume-2", stray, 1), new byte[77], cancellationToken: Repositories.Token);
        await _store.PutAsync("volumes/volume-2/notes.txt", new byte[5], cancellationToken: Repositories.Token);
        List<string> before = await _store.ListKeysAsync();

        PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);

        Assert.Equal((0L, 0L), (report.ManifestsRemoved, report.PacksRemoved));
        Assert.Equal(before, await _store.ListKeysAsync());
        UnreferencedData manifest = Assert.Single(report.Unreferenced, data => data.Kind == UnreferencedKind.ManifestWithoutRecord);
        Assert.Equal((lost.VolumeId, lost.Id, false), (manifest.VolumeId, manifest.BackupId, manifest.Removed));
        Assert.Equal((long)lost.ObjectCount, manifest.Objects);
        UnreferencedData packs = Assert.Single(report.Unreferenced, data => data.Kind == UnreferencedKind.PacksWithoutManifest);
        Assert.Equal(("volume-2", stray, 1L, 77L), (packs.VolumeId, packs.BackupId, packs.Objects, packs.Bytes));
        await CheckAsync(repository, [kept.Id]);
    }

    [Fact]
    public async Task Prune_OrphansOlderThanTheAge_RemovesThemOnly()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup kept = await AddAsync(repository, _monday);
        Backup lost = await AddAsync(repository, _monday.AddDays(1));
        await _store.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
        await _store.PutAsync("volumes/volume-2/notes.txt", new byte[5], cancellationToken: Repositories.Token);
        _clock.Now += TimeSpan.FromDays(6);
        await _store.PutAsync(StoreKeys.Pack("volume-2", Guid.NewGuid(), 1), new byte[77], cancellationToken: Repositories.Token);
        List<string> before = await _store.ListKeysAsync();
        var options = new PruneOptions { RemoveOrphans = true };

        Assert.All((await repository.PruneAsync(options, Repositories.Token)).Unreferenced, data => Assert.False(data.Removed));
        Assert.Equal(before, await _store.ListKeysAsync());

        // The engine's own clock does not count: that of the store does.
        _clock.Now += TimeSpan.FromDays(2);
        Assert.Equal(0, (await repository.PruneAsync(options with { DryRun = true, OrphanAge = TimeSpan.FromDays(7) }, Repositories.Token)).ManifestsRemoved);
        PruneReport report = await repository.PruneAsync(options, Repositories.Token);
        Assert.Equal((1L, (long)lost.ObjectCount - 1), (report.ManifestsRemoved, report.PacksRemoved));
        Assert.Equal([(UnreferencedKind.ManifestWithoutRecord, true), (UnreferencedKind.PacksWithoutManifest, false)], report.Unreferenced.OrderBy(data => data.Kind).Select(data => (data.Kind, data.Removed)));
        _clock.Now += TimeSpan.FromDays(6);
        report = await repository.PruneAsync(options, Repositories.Token);
        Assert.Equal(1, report.PacksRemoved);
        Assert.Equal([.. await _store.ListReferencedAsync(), "volumes/volume-2/notes.txt"], await _store.ListKeysAsync());
        await CheckAsync(repository, [kept.Id]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Prune_VolumeWithManifestsAndNoRecord_RefusesUntilItIsNamed(bool removesOrphans)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup lost = await AddAsync(repository, _monday);
        Backup other = await StoreOtherVolumeAsync(repository);
        await _store.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
        _clock.Now += TimeSpan.FromDays(30);
        List<string> before = await _store.ListKeysAsync();
        var options = new PruneOptions { KeepLast = 1, RemoveOrphans = removesOrphans };

        BackupStateException refused = await Assert.ThrowsAsync<BackupStateException>(() => repository.PruneAsync(options, Repositories.Token));
        Assert.Contains(lost.VolumeId, refused.Message, StringComparison.Ordinal);
        Assert.Contains("'repair'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await _store.ListKeysAsync());
        await repository.PruneAsync(options with { VolumeId = other.VolumeId }, Repositories.Token);
        Assert.Equal(before, await _store.ListKeysAsync());

        await repository.PruneAsync(options with { VolumesWithoutRecords = [lost.VolumeId] }, Repositories.Token);
        Assert.Equal(removesOrphans ? await _store.ListReferencedAsync() : before, await _store.ListKeysAsync());
        Assert.NotNull(await repository.GetAsync(other.Id, Repositories.Token));
    }

    [Fact]
    public async Task An_intent_that_may_be_alive_is_left_with_all_that_it_needs()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup parent = await AddAsync(repository, _monday);
        await AddAsync(repository, _monday.AddDays(1));
        Guid writer = await PutForeignIntentAsync(parent);
        PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Empty(report.BackupsRemoved);
        Assert.Contains(report.Kept, reason => reason.Contains(writer.ToString(), StringComparison.Ordinal));
        Assert.Equal(("elsewhere", 4711), (Assert.Single(report.IntentsLeft).Host, report.IntentsLeft[0].ProcessId));
        Assert.Contains(StoreKeys.Pack(Repositories.VolumeId, writer, 1), await _store.ListKeysAsync());
        await Assert.ThrowsAsync<BackupHasDependentsException>(() => repository.DeleteAsync(parent.Id, Repositories.Token));

        // Not yet old enough; then it is.
        report = await repository.PruneAsync(new PruneOptions { KeepLast = 1, BreakIntents = true }, Repositories.Token);
        Assert.Single(report.IntentsLeft);
        _clock.Now += TimeSpan.FromHours(25);
        report = await repository.PruneAsync(new PruneOptions { KeepLast = 1, BreakIntents = true }, Repositories.Token);
        Assert.Equal(writer, Assert.Single(report.IntentsRemoved).BackupId);
        Assert.Equal([parent.Id], report.BackupsRemoved);
        Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
    }

    [Fact]
    public async Task An_unreadable_record_stops_every_removal()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup first = await AddAsync(repository, _monday);
        Backup second = await AddAsync(repository, _monday.AddDays(1));
        string key = StoreKeys.Record(second.VolumeId, second.Id);
        byte[] record = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        await _store.PutAsync(key, record.AsMemory(0, 100), cancellationToken: Repositories.Token);
        CorruptionException e = await Assert.ThrowsAsync<CorruptionException>(() => repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token));
        Assert.Equal(key, e.Key);
        await Assert.ThrowsAsync<CorruptionException>(() => repository.DeleteAsync(first.Id, Repositories.Token));
        await _store.PutAsync(key, record, cancellationToken: Repositories.Token);
        await CheckAsync(repository, [first.Id, second.Id]);
    }

    [Fact]
    public async Task Beside_a_running_backup_nothing_of_it_is_touched()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup first = await AddAsync(repository, _monday);
        byte[] content = Repositories.Noise(500_000, 99);
        int prunes = 0;
        var volume = new InterruptedVolume(content, async () =>
        {
            PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
            Assert.Equal(0, report.PacksRemoved);
            prunes++;
        });
        Backup second = await repository.BackupAsync(volume, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 }, cancellationToken: Repositories.Token);
        Assert.True(prunes > 0);
        _contents[second.Id] = content;
        await CheckAsync(repository, [first.Id, second.Id]);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(null, -1)]
    public async Task Rules_that_keep_nothing_are_refused(int? last, int? daily)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await Assert.ThrowsAsync<ArgumentException>(() => repository.PruneAsync(new PruneOptions { KeepLast = last, KeepDaily = daily }, Repositories.Token));
    }

    private async Task<Guid> PutForeignIntentAsync(Backup parent)
    {
        var id = Guid.NewGuid();
        Backup draft = parent with { Id = id, ParentId = parent.Id, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(parent.VolumeId, id), ManifestSha256 = null };
        await new IntentStore(_store).PutAsync(new Intent { Backup = draft, Writer = new ProcessIdentity("elsewhere", "another system", 4711, "1") }, Repositories.Token);
        await _store.PutAsync(StoreKeys.Pack(parent.VolumeId, id, 1), new byte[100], cancellationToken: Repositories.Token);
        return id;
    }

    private Task<Backup> StoreOtherVolumeAsync(BackupRepository repository) => AddAsync(repository, _monday.AddYears(-1), volumeId: "other");

    private async Task<Backup> AddAsync(BackupRepository repository, DateTimeOffset time, bool full = false, string volumeId = Repositories.VolumeId)
    {
        _content = [.. _content];
        Repositories.Noise(70_000, _contents.Count).CopyTo(_content, _contents.Count * 31_000 % 400_000);
        bool isFirst = !(await repository.ListAsync(volumeId, Repositories.Token)).Any();
        Backup backup = await repository.BackupAsync(
            new MemoryVolume(_content), new BackupOptions { VolumeId = volumeId, Incremental = !isFirst && !full, DataTimestamp = time }, cancellationToken: Repositories.Token);
        _contents[backup.Id] = [.. _content];
        return backup;
    }

    private async Task CheckAsync(BackupRepository repository, IEnumerable<Guid> expected)
    {
        IReadOnlyList<Backup> backups = await repository.ListAsync(Repositories.VolumeId, Repositories.Token);
        Assert.Equal(expected.Order(), backups.Select(backup => backup.Id).Order());
        foreach (Backup backup in backups)
            VolumeAssert.Same(_contents[backup.Id], await repository.RestoreOverAsync(backup), $"backup {backup.Id}");
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Empty(report.Findings);
    }
}
