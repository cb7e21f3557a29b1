using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>The clocks of machines and stores are wrong, or are set; backups keep the order in which they were stored (docs/decisions/0026).</summary>
public sealed class ClockTests(ITestOutputHelper output) : IAsyncDisposable
{
    private static readonly DateTimeOffset _today = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan _nineYears = TimeSpan.FromDays(9 * 365);
    private static readonly TimeSpan[] _jumps = [TimeSpan.FromHours(2), TimeSpan.FromHours(-2), _nineYears, -_nineYears, TimeSpan.FromDays(1), TimeSpan.Zero];

    private readonly ManualClock _local = new(_today);
    private readonly ManualClock _storeClock = new(_today);
    private readonly List<string> _warnings = [];
    private InMemoryObjectStore? _store;
    private byte[] _content = Repositories.Noise(200_000);

    private InMemoryObjectStore Store => _store ??= new InMemoryObjectStore(_storeClock);

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
    }

    public enum Jumping
    {
        LocalClock,
        BothClocks,
        StoreWithoutTimes,
    }

    [LongRunning]
    [Theory]
    [InlineData(Jumping.LocalClock)]
    [InlineData(Jumping.BothClocks)]
    [InlineData(Jumping.StoreWithoutTimes)]
    public async Task Backup_ClocksJumpBetweenBackups_OrderIsThatOfStoring(Jumping jumping)
    {
        int seed = TestSeed.Next();
        for (int round = 0; round < 12; round++)
        {
            var random = new Random(unchecked(seed + round));
            string what = $"seed {seed}, round {round}";
            _local.Now = _today;
            _storeClock.Now = jumping == Jumping.StoreWithoutTimes ? default : _today;
            await using var store = new InMemoryObjectStore(_storeClock);
            BackupRepository repository = await OpenAsync(store);
            List<(Backup Backup, byte[] Content)> stored = [];
            for (int step = 0; step < 12; step++)
            {
                TimeSpan jump = _jumps[random.Next(_jumps.Length)];
                _local.Now += jump;
                if (jumping != Jumping.StoreWithoutTimes)
                    _storeClock.Now += jumping == Jumping.BothClocks ? jump : TimeSpan.FromMinutes(1);
                bool isFull = stored.Count == 0 || random.Next(4) == 0;
                Guid? named = !isFull && random.Next(4) == 0 ? stored[random.Next(stored.Count)].Backup.Id : null;
                Backup backup = await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = !isFull, ParentId = named });
                Assert.True(backup.ParentId == (isFull ? null : named ?? stored[^1].Backup.Id), $"{what}, step {step}: the parent is not the previous backup");
                stored.Add((backup, _content));

                if (random.Next(3) == 0)
                {
                    int kept = random.Next(1, 4);
                    PruneOptions rules = random.Next(2) == 0 ? new PruneOptions { KeepLast = kept } : new PruneOptions { KeepLast = kept, KeepDaily = 2, KeepMonthly = 2 };
                    PruneReport report = await repository.PruneAsync(rules, Repositories.Token);
                    Assert.True(!stored.TakeLast(kept).Any(last => report.BackupsRemoved.Contains(last.Backup.Id)), $"{what}, step {step}: one of the last {kept} was removed");
                    stored.RemoveAll(removed => report.BackupsRemoved.Contains(removed.Backup.Id));
                    if (rules.KeepDaily is null)
                        Assert.True(stored.Count <= kept, $"{what}, step {step}: {stored.Count} are left of {kept}");
                }

                IReadOnlyList<Backup> listed = await repository.ListAsync(cancellationToken: Repositories.Token);
                Assert.True(stored.Select(last => last.Backup.Id).Reverse().SequenceEqual(listed.Select(backup => backup.Id)), $"{what}, step {step}: the list is not in the order of storing");
                Assert.Equal(stored[^1].Backup.Id, (await repository.FindAsync("latest", cancellationToken: Repositories.Token)).Id);
            }

            foreach ((Backup backup, byte[] content) in stored)
                VolumeAssert.Same(content, await repository.RestoreOverAsync(backup), what);
        }

        output.WriteLine($"seed {seed}");
    }

    [Fact]
    public async Task Prune_KeepLastOne_RemovesTheBackupDatedInTheFuture()
    {
        BackupRepository repository = await OpenAsync(Store);
        _local.Now = _today + _nineYears;
        Backup wrong = await AddAsync(repository);
        Assert.True(wrong.HasFutureTimestamp);
        Assert.Contains(_warnings, warning => warning.Contains("Check the clock of this machine", StringComparison.Ordinal));
        _local.Now = _storeClock.Now = _today + TimeSpan.FromDays(1);
        _warnings.Clear();
        Backup right = await AddAsync(repository);
        Assert.False(right.HasFutureTimestamp);
        Assert.Empty(_warnings);
        Assert.Equal(right.Id, (await repository.FindAsync("latest", cancellationToken: Repositories.Token)).Id);

        // What is reported of it: it can be restored, and its times do not count.
        VerifyReport verified = await repository.VerifyAsync(cancellationToken: Repositories.Token);
        Assert.Equal([wrong.Id], verified.FutureTimestamps);
        Assert.Empty(verified.Findings);
        Assert.Equal([wrong.Id], (await repository.RepairAsync(cancellationToken: Repositories.Token)).FutureTimestamps);
        Assert.Equal([wrong.Id], (await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token)).BackupsRemoved);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(right), "the last");
    }

    [Fact]
    public async Task Backup_StoreClockWentBack_WarnsAndStaysTheLatest()
    {
        BackupRepository repository = await OpenAsync(Store);
        await AddAsync(repository);
        _local.Now = _storeClock.Now = _today - _nineYears;
        Backup last = await AddAsync(repository);
        Assert.Contains(_warnings, warning => warning.Contains("The backups keep the order in which they were stored", StringComparison.Ordinal));
        Assert.Equal((_today - _nineYears, last.Id), (last.StoredAt, (await repository.FindAsync("latest", cancellationToken: Repositories.Token)).Id));
    }

    /// <summary>A statement about the data, not about the order.</summary>
    [Fact]
    public async Task Backup_OldSnapshotMadeNow_IsLatestAndKeepsItsDataTimestamp()
    {
        BackupRepository repository = await OpenAsync(Store);
        await AddAsync(repository);
        DateTimeOffset snapshot = _today.AddDays(-30);
        Backup old = await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, DataTimestamp = snapshot });
        Backup found = await repository.FindAsync("latest", cancellationToken: Repositories.Token);
        Assert.Equal((old.Id, snapshot, false), (found.Id, found.DataTimestamp, found.HasFutureTimestamp));
        Backup next = await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true });
        Assert.Equal(old.Id, next.ParentId);
    }

    /// <summary>Records of earlier versions: the earlier of the machine's and the record's time counts, also after the record was replaced, and a child is later than its parent.</summary>
    [Fact]
    public async Task List_RecordsWithoutStoredTime_FutureOnesDoNotWin()
    {
        BackupRepository repository = await OpenAsync(Store);
        _local.Now = _today + _nineYears;
        Backup wrong = await AddAsync(repository);
        await ForgetTimesAsync(wrong);
        _local.Now = _storeClock.Now = _today.AddHours(1);
        Backup right = await AddAsync(repository);
        await ForgetTimesAsync(right);
        _local.Now = _today - _nineYears;
        _storeClock.Now = _today.AddHours(2);
        Backup child = await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = right.Id });
        await ForgetTimesAsync(child);
        await CheckAsync();

        // What replaces the record keeps when it was stored, at the latest.
        _storeClock.Now = _today.AddDays(1);
        await new RecordStore(Store).RenewRecordAsync(wrong, _local.Now, Repositories.Token);
        await CheckAsync();
        Backup next = await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true });
        Assert.Equal(child.Id, next.ParentId);

        async Task CheckAsync()
        {
            IReadOnlyList<Backup> listed = await repository.ListAsync(cancellationToken: Repositories.Token);
            Assert.Equal([child.Id, right.Id, wrong.Id], listed.Select(backup => backup.Id));
            Assert.Equal([wrong.Id], listed.Where(backup => backup.HasFutureTimestamp).Select(backup => backup.Id));
        }
    }

    /// <summary>The record comes from a store whose clock was ahead.</summary>
    [Fact]
    public async Task ImportRecord_TimesAheadOfTheStoresClock_DoNotCount()
    {
        _local.Now = _storeClock.Now = _today + _nineYears;
        Backup there = await AddAsync(await OpenAsync(Store));
        ExportedRecord record = await (await OpenAsync(Store)).ExportRecordAsync(there.Id, Repositories.Token);
        _local.Now = _storeClock.Now = _today;
        await using InMemoryObjectStore here = await Store.CloneAsync(_storeClock);
        await here.DeleteAsync(StoreKeys.Record(there.VolumeId, there.Id), Repositories.Token);
        BackupRepository repository = await OpenAsync(here);
        Backup imported = await repository.ImportRecordAsync(record, Repositories.Token);
        Assert.Equal((_today, null), (imported.StoredAt, imported.OrderedAt));
        _storeClock.Now = _today.AddMinutes(1);
        Backup next = await AddAsync(repository);
        Assert.Equal(next.Id, (await repository.FindAsync("latest", cancellationToken: Repositories.Token)).Id);
        Assert.Equal(_storeClock.Now, next.OrderedAt);
    }

    [Fact]
    public async Task ImportRecord_IntoItsOwnStore_KeepsThePlaceInTheOrder()
    {
        BackupRepository repository = await OpenAsync(Store);
        List<Backup> stored = [];
        for (int step = 0; step < 3; step++)
        {
            _storeClock.Now -= TimeSpan.FromHours(2);
            stored.Add(await AddAsync(repository));
        }

        ExportedRecord record = await repository.ExportRecordAsync(stored[1].Id, Repositories.Token);
        await Store.DeleteAsync(StoreKeys.Record(Repositories.VolumeId, stored[1].Id), Repositories.Token);
        _storeClock.Now = _today.AddDays(1);
        await repository.ImportRecordAsync(record, Repositories.Token);
        Assert.Equal(stored.Select(backup => backup.Id).Reverse(), (await repository.ListAsync(cancellationToken: Repositories.Token)).Select(backup => backup.Id));
    }

    /// <summary>The manifest of a repacked backup is new, its place is not.</summary>
    [Fact]
    public async Task Repack_OldBackup_KeepsItsPlaceInTheOrder()
    {
        BackupRepository repository = await OpenAsync(Store);
        await AddAsync(repository);
        for (int step = 0; step < 3; step++)
        {
            _storeClock.Now += TimeSpan.FromHours(2);
            _content[step * 60_000] ^= 1;
            await AddAsync(repository, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true });
        }

        await repository.PruneAsync(new PruneOptions { KeepLast = 3 }, Repositories.Token);
        IReadOnlyList<Backup> before = await repository.ListAsync(cancellationToken: Repositories.Token);
        _storeClock.Now += TimeSpan.FromDays(1);
        Assert.True((await repository.PruneAsync(new PruneOptions { RepackBelowPercent = 99 }, Repositories.Token)).PacksRepacked > 0);
        IReadOnlyList<Backup> after = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.NotEqual(before[^1].ManifestKey, after[^1].ManifestKey);
        Assert.Equal(before.Select(backup => (backup.Id, backup.StoredAt, backup.OrderedAt)), after.Select(backup => (backup.Id, backup.StoredAt, backup.OrderedAt)));
    }

    /// <summary>The clock of the machine that made it was years behind: it must not pass for one that an earlier verification has read.</summary>
    [Fact]
    public async Task Verify_SinceAndCreatedByClockBehind_ChecksTheBackup()
    {
        BackupRepository repository = await OpenAsync(Store);
        await AddAsync(repository);
        _storeClock.Now = _today.AddDays(2);
        _local.Now = _today - _nineYears;
        Backup later = await AddAsync(repository);
        await Store.DeleteAsync(StoreKeys.Pack(later.VolumeId, later.Id, 1), Repositories.Token);
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true, Since = _today.AddDays(1) }, cancellationToken: Repositories.Token);
        Assert.Equal([later.Id], report.Findings.Select(finding => finding.BackupId).Distinct());
    }

    /// <summary>What two backups that were made at once say of each other does not depend on how they are listed.</summary>
    [Fact]
    public void Sort_EqualTimes_IsDeterministicAndParentsComeFirst()
    {
        var random = new Random(TestSeed.Next());
        List<Backup> backups = [];
        for (int number = 0; number < 40; number++)
        {
            Guid? parent = number > 0 && random.Next(3) > 0 ? backups[random.Next(number)].Id : null;
            backups.Add(RecordStore.CreateStub("volume", Guid.NewGuid(), BackupStatus.Available, null) with { CreatedAt = _today.AddYears(random.Next(3)), ParentId = parent });
        }

        // A circle, as only damaged records have, is no endless loop.
        backups[0] = backups[0] with { ParentId = backups[1].Id };
        Guid[] sorted = [.. BackupOrder.Sort(backups).Select(backup => backup.Id)];
        Assert.Equal(40, sorted.Distinct().Count());
        foreach (Backup backup in backups.Skip(2).Where(backup => backup.ParentId is not null))
            Assert.True(Array.IndexOf(sorted, backup.Id) > Array.IndexOf(sorted, backup.ParentId!.Value));
        backups[0] = backups[0] with { ParentId = null };
        sorted = [.. BackupOrder.Sort(backups).Select(backup => backup.Id)];
        Backup[] shuffled = [.. backups];
        random.Shuffle(shuffled);
        Assert.Equal(sorted, BackupOrder.Sort(shuffled).Select(backup => backup.Id));
    }

    private Task<BackupRepository> OpenAsync(IObjectStore store) =>
        BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { TimeProvider = _local, LoggerFactory = new Warnings(_warnings) }, Repositories.Token);

    private async Task<Backup> AddAsync(BackupRepository repository, BackupOptions? options = null)
    {
        _content = [.. _content];
        _content[100_000]++;
        return await repository.BackupAsync(new MemoryVolume(_content), options ?? new BackupOptions { VolumeId = Repositories.VolumeId }, cancellationToken: Repositories.Token);
    }

    /// <summary>Makes the record one of the first version.</summary>
    private async Task ForgetTimesAsync(Backup backup)
    {
        string key = StoreKeys.Record(backup.VolumeId, backup.Id);
        JsonObject record = JsonNode.Parse(await Store.GetAllAsync(key, 1 << 20, Repositories.Token))!.AsObject();
        foreach (string member in new[] { "stored_at", "ordered_at", "checksum" })
            record.Remove(member);
        await Store.PutAsync(key, Encoding.UTF8.GetBytes(record.ToJsonString()), cancellationToken: Repositories.Token);
    }

    private sealed class Warnings(List<string> lines) : ILoggerFactory, ILogger
    {
        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                lines.Add(formatter(state, exception));
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
