using System.Text;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Who is active, by refreshes and the store's clock: of other machines, of containers, and of copies of this process (docs/decisions/0027).</summary>
public sealed class LivenessTests : IAsyncLifetime
{
    private static readonly DateTimeOffset _today = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly BackupOptions _options = new() { VolumeId = Repositories.VolumeId, Workers = 1 };
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);

    private readonly ManualClock _clock = new(_today);
    private readonly byte[] _firstContent = Repositories.Noise(500_000);
    private readonly byte[] _content;
    private readonly InMemoryObjectStore _store;
    private Backup _first = null!;

    public LivenessTests()
    {
        _store = new InMemoryObjectStore(_clock);
        _content = [.. _firstContent];
        _content[10]++;
    }

    public async ValueTask InitializeAsync() => _first = await (await Repositories.OpenAsync(_store)).FullAsync(new MemoryVolume(_firstContent));

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Delete_ParentOfWriterElsewhere_IsRefusedUntilTheIntentIsStale()
    {
        await InterruptAsync(_store);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        _clock.Now += _hour - TimeSpan.FromSeconds(1);
        await Assert.ThrowsAsync<BackupHasDependentsException>(() => repository.DeleteAsync(_first.Id, Repositories.Token));
        _clock.Now += TimeSpan.FromSeconds(2);
        await repository.DeleteAsync(_first.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the delete");
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Prune_IntentAndMarkElsewhere_RemovesThemWhenStale()
    {
        Guid writer = await InterruptAsync(_store);
        await new IntentStore(_store, Elsewhere()).PutDeletionAsync(_first, Guid.NewGuid(), Repositories.Token);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        _clock.Now += _hour - TimeSpan.FromSeconds(1);
        Assert.Single((await repository.PruneAsync(cancellationToken: Repositories.Token)).IntentsLeft);
        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Equal(writer, Assert.Single((await repository.PruneAsync(cancellationToken: Repositories.Token)).IntentsRemoved).BackupId);
        Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Backup_InterruptedElsewhere_IsResumedWhenStale()
    {
        Guid writer = await InterruptAsync(_store);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await repository.BackupAsync(new MemoryVolume(_content), _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
        Assert.Contains(StoreKeys.Intent(Repositories.VolumeId, writer), await _store.ListKeysAsync());
        _clock.Now += _hour;
        Backup resuming = await repository.BackupAsync(new MemoryVolume(_content), _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
        Assert.DoesNotContain(StoreKeys.Intent(Repositories.VolumeId, writer), await _store.ListKeysAsync());
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(resuming), "the resuming backup");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after a resumption");
    }

    /// <summary>A machine that sleeps, or a container that is stopped, and goes on at any moment after its parent was deleted.</summary>
    [Fact]
    public async Task Delete_WriterSuspendedBeforeAnyCall_WriterFailsOrItsBackupIsWhole()
    {
        int failed = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await _store.CloneAsync(_clock);
            int at = call;
            await using var suspended = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != at)
                        return;
                    isReached = true;
                    _clock.Now += _hour;
                    try
                    {
                        await (await Repositories.OpenAsync(store)).DeleteAsync(_first.Id, Repositories.Token);
                    }
                    catch (BackupHasDependentsException)
                    {
                        // Committed.
                    }
                },
            };
            BackupRepository after = await Repositories.OpenAsync(store);
            try
            {
                Backup backup = await (await OpenAsync(suspended, Elsewhere())).BackupAsync(new MemoryVolume(_content), _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
                VolumeAssert.Same(_content, await after.RestoreOverAsync(backup), $"suspended before call {call}");
            }
            catch (Exception e) when (e is BackupStateException or BackupNotFoundException or CorruptionException)
            {
                failed++;
            }

            _clock.Now += _hour;
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"suspended before call {call}");
        }

        Assert.True(failed > 5, $"{failed} writers noticed");
    }

    /// <summary>The same of a deleter: what was made from the backup meanwhile must stay whole.</summary>
    [Fact]
    public async Task Backup_DeleterSuspendedBeforeAnyCall_NewBackupIsWhole()
    {
        int made = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await _store.CloneAsync(_clock);
            BackupRepository other = await Repositories.OpenAsync(store);
            Backup? backup = null;
            int at = call;
            await using var suspended = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != at)
                        return;
                    isReached = true;
                    _clock.Now += _hour;
                    try
                    {
                        backup = await other.BackupAsync(new MemoryVolume(_content), _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
                    }
                    catch (Exception e) when (e is BackupStateException or BackupNotFoundException or CorruptionException)
                    {
                        // Deleted, or being deleted.
                    }
                },
            };
            try
            {
                await (await OpenAsync(suspended, Elsewhere())).DeleteAsync(_first.Id, Repositories.Token);
            }
            catch (Exception e) when (e is BackupStateException or BackupHasDependentsException)
            {
                // It noticed.
            }

            if (backup is null)
                continue;
            made++;
            VolumeAssert.Same(_content, await other.RestoreOverAsync(backup), $"suspended before call {call}");
            _clock.Now += _hour;
            await other.PruneAsync(cancellationToken: Repositories.Token);
            VolumeAssert.Same(_content, await other.RestoreOverAsync(backup), $"suspended before call {call}, after prune");
        }

        Assert.True(made > 0, "nothing was made");
    }

    /// <summary>
    /// A repack has replaced the manifest of a backup, and the prune that removes the old one has not run. An import of the old record goes on at any moment after the backup was
    /// deleted, which removes both manifests.
    /// </summary>
    [Fact]
    public async Task Delete_ImporterOfReplacedManifestSuspendedBeforeAnyCall_ImportFailsOrItsBackupIsWhole()
    {
        BackupRepository preparing = await Repositories.OpenAsync(_store);
        byte[] content = [.. Repositories.Noise(250_000, 8), .. _firstContent[250_000..]];
        Backup old = await preparing.IncrementalAsync(new MemoryVolume(content));
        await using InMemoryObjectStore before = await _store.CloneAsync(_clock);
        await preparing.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = 99 }, Repositories.Token);
        Assert.NotEqual(old.ManifestKey, (await preparing.GetAsync(old.Id, Repositories.Token)).ManifestKey);
        foreach (string key in (await before.ListKeysAsync()).Except(await _store.ListKeysAsync()).Where(key => key.StartsWith("volumes/", StringComparison.Ordinal)))
            await _store.PutAsync(key, await before.GetAllAsync(key, 1 << 30, Repositories.Token), cancellationToken: Repositories.Token);
        var copy = new ExportedRecord(ExportedRecord.ServiceName, Convert.ToBase64String(CatalogJson.Write(old with { Id = Guid.NewGuid() })));
        int failed = 0;
        bool isReached = true;
        for (int call = 2; isReached; call++)
        {
            isReached = false;
            await using InMemoryObjectStore store = await _store.CloneAsync(_clock);
            BackupRepository other = await Repositories.OpenAsync(store);
            int at = call;
            await using var suspended = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number != at)
                        return;
                    isReached = true;
                    _clock.Now += _hour;
                    await other.DeleteAsync(old.Id, Repositories.Token);
                },
            };
            try
            {
                Backup imported = await (await OpenAsync(suspended, Elsewhere())).ImportRecordAsync(copy, Repositories.Token);
                VolumeAssert.Same(content, await other.RestoreOverAsync(imported), $"suspended before call {call}");
            }
            catch (Exception e) when (e is BackupStateException or RecordFormatException)
            {
                failed++;
            }
        }

        Assert.True(failed > 5, $"{failed} imports noticed");
    }

    /// <summary>What the writer of a newer engine needs is not known here, however long it has been silent.</summary>
    [Theory]
    [InlineData("\"record_version\": 1", "\"record_version\": 7")]
    [InlineData("\"compression\": \"", "\"compression\": \"later-")]
    public async Task Delete_SilentIntentOfNewerEngine_IsRefused(string known, string newer)
    {
        Guid writer = await InterruptAsync(_store);
        string key = StoreKeys.Intent(_first.VolumeId, writer);
        string text = Encoding.UTF8.GetString(await _store.GetAllAsync(key, 1 << 20, Repositories.Token));
        Assert.Contains(known, text, StringComparison.Ordinal);
        text = text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)].Replace(known, newer, StringComparison.Ordinal) + "\n}";
        await _store.PutAsync(key, RecordChecksum.Append(Encoding.UTF8.GetBytes(text)), cancellationToken: Repositories.Token);
        _clock.Now += 2 * _hour;
        List<string> before = await _store.ListKeysAsync();
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await Assert.ThrowsAsync<BackupHasDependentsException>(() => repository.DeleteAsync(_first.Id, Repositories.Token));
        RepositoryException error = await Assert.ThrowsAsync<RepositoryException>(() => repository.PruneAsync(cancellationToken: Repositories.Token));
        Assert.Contains("newer engine", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    /// <summary>A machine is cloned while a service runs on it: both copies have the same process, and each knows only its own backups.</summary>
    [Fact]
    public async Task Delete_ParentOfTheOtherClonesBackup_IsRefused()
    {
        ProcessIdentity cloned = ProcessIdentity.Current with { Token = "cloned" };
        BackupRepository other = await OpenAsync(_store, new LocalWriters(cloned));
        bool isRefused = false;
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            await Assert.ThrowsAsync<BackupHasDependentsException>(() => other.DeleteAsync(_first.Id, Repositories.Token));
            isRefused = true;
        });
        BackupRepository repository = await OpenAsync(_store, new LocalWriters(cloned));
        Backup backup = await repository.BackupAsync(volume, _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
        Assert.True(isRefused);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(backup), "the clone's backup");
    }

    [Fact]
    public void HasExited_OtherHostOrNewerStart_IsDecidedByWhatIsKnown()
    {
        ProcessIdentity here = ProcessIdentity.Current;
        var gone = new ProcessIdentity(here.Host, here.System, here.ProcessId, here.ProcessStart + "0");
        Assert.True(gone.HasExited());
        Assert.False((gone with { Host = here.Host + "-clone" }).HasExited());
        Assert.False((gone with { System = "another" }).HasExited());

        // An id that this process has begun and ended is known to be ended; one that it never began may be its copy's.
        var id = Guid.NewGuid();
        var writers = new LocalWriters(here);
        Assert.False(writers.HasExited(here, id));
        LocalWriters.Registration writing = writers.Begin(id);
        Assert.False(writers.HasExited(here, id));
        writing.Dispose();
        Assert.True(writers.HasExited(here, id));
    }

    [Fact]
    public async Task Backup_LongerThanStaleAfter_StaysFreshByRefreshes()
    {
        var time = new FakeTimeProvider(_today);
        await using InMemoryObjectStore store = await _store.CloneAsync(time);
        BackupRepository other = await Repositories.OpenAsync(store);
        string? key = null;
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            key = (await store.ListKeysAsync()).Single(found => found.StartsWith(StoreKeys.Intents, StringComparison.Ordinal));
            await PassAsync(time, store, key, TimeSpan.FromHours(3));
            await Assert.ThrowsAsync<BackupHasDependentsException>(() => other.DeleteAsync(_first.Id, Repositories.Token));
            Assert.Single((await other.PruneAsync(cancellationToken: Repositories.Token)).IntentsLeft);
        });
        BackupRepository repository = await OpenAsync(store, Elsewhere(), time);
        long puts = repository.Requests.Put;
        Backup backup = await repository.BackupAsync(volume, _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token);
        VolumeAssert.Same(_content, await other.RestoreOverAsync(backup), "the long backup");

        // One put every five minutes, and none once it is done.
        Assert.InRange(repository.Requests.Put - puts, 36, 36 + 8);
        puts = repository.Requests.Put;
        time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(puts, repository.Requests.Put);
        Assert.DoesNotContain(key!, await store.ListKeysAsync());
    }

    /// <summary>Both copies of a process own the intent: the one that refreshes second has lost it, and leaves what is stored to the other.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Backup_IntentChangedOrRemovedByAnother_FailsBeforeItCommits(bool isChanged)
    {
        var time = new FakeTimeProvider(_today);
        await using InMemoryObjectStore store = await _store.CloneAsync(time);
        List<string> before = [];
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            string key = (await store.ListKeysAsync()).Single(found => found.StartsWith(StoreKeys.Intents, StringComparison.Ordinal));
            Intent intent = CatalogJson.ReadIntent(key, await store.GetAllAsync(key, 1 << 20, Repositories.Token));
            if (isChanged)
                await store.PutAsync(key, CatalogJson.Write(intent with { Refresh = "the other's" }), cancellationToken: Repositories.Token);
            else
                await store.DeleteAsync(key, Repositories.Token);
            before = await store.ListKeysAsync();
            time.Advance(TimeSpan.FromMinutes(5));
        });
        BackupRepository repository = await OpenAsync(store, Elsewhere(), time);
        BackupStateException error = await Assert.ThrowsAsync<BackupStateException>(
            () => repository.BackupAsync(volume, _options with { ParentId = _first.Id }, cancellationToken: Repositories.Token));
        Assert.Contains("was considered stale, or is also run by a copy of this machine", error.Message, StringComparison.Ordinal);
        Assert.Empty(before.Except(await store.ListKeysAsync()));
        Assert.Equal([_first.Id], (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Available).Select(backup => backup.Id));
    }

    /// <summary>The process did not run for a while, so no refresh was due for it; the last one before the commit is made up for.</summary>
    [Fact]
    public async Task Backup_RefreshOverdueAtCommit_NoticesTheLostIntent()
    {
        var local = new SlowTimer(_today);
        await using InMemoryObjectStore store = await _store.CloneAsync(_clock);
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            await store.DeleteAsync((await store.ListKeysAsync()).Single(found => found.StartsWith(StoreKeys.Intents, StringComparison.Ordinal)), Repositories.Token);
            local.Elapsed = TimeSpan.FromMinutes(20);
        });
        BackupRepository repository = await OpenAsync(store, Elsewhere(), local);
        BackupStateException error = await Assert.ThrowsAsync<BackupStateException>(() => repository.BackupAsync(volume, _options, cancellationToken: Repositories.Token));

        // Before the record was put, not by the check that follows it.
        Assert.Contains("was considered stale", error.Message, StringComparison.Ordinal);
        Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
    }

    [Fact]
    public async Task Backup_RefreshesFailForTooLong_FailsBeforeItCommits()
    {
        var time = new FakeTimeProvider(_today);
        await using InMemoryObjectStore store = await _store.CloneAsync(time);
        await using var failing = new UnrefreshableStore(store);
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            failing.IsFailing = true;
            for (int minutes = 0; minutes < 65; minutes += 5)
            {
                time.Advance(TimeSpan.FromMinutes(5));
                await Task.Delay(20, Repositories.Token);
            }
        });
        BackupRepository repository = await OpenAsync(failing, Elsewhere(), time);
        BackupStateException error = await Assert.ThrowsAsync<BackupStateException>(() => repository.BackupAsync(volume, _options, cancellationToken: Repositories.Token));
        Assert.Contains("could not refresh its intent for 01:00:00", error.Message, StringComparison.Ordinal);
        Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
    }

    /// <summary>A refresh whose answer was lost is not taken for another's.</summary>
    [Fact]
    public async Task Backup_RefreshArrivedWithoutAnswer_GoesOn()
    {
        var time = new FakeTimeProvider(_today);
        await using InMemoryObjectStore store = await _store.CloneAsync(time);
        await using var failing = new UnrefreshableStore(store) { IsStoringAllTheSame = true };
        await using var volume = new InterruptedVolume(_content, async () =>
        {
            string key = (await store.ListKeysAsync()).Single(found => found.StartsWith(StoreKeys.Intents, StringComparison.Ordinal));
            failing.IsFailing = true;
            await PassAsync(time, store, key, TimeSpan.FromMinutes(5));
            await Task.Delay(50, Repositories.Token);
            failing.IsFailing = false;
            time.Advance(TimeSpan.FromMinutes(5));
            await Task.Delay(50, Repositories.Token);
            await PassAsync(time, store, key, TimeSpan.FromMinutes(5));
        });
        BackupRepository repository = await OpenAsync(failing, Elsewhere(), time);
        Backup backup = await repository.BackupAsync(volume, _options, cancellationToken: Repositories.Token);
        VolumeAssert.Same(_content, await repository.RestoreOverAsync(backup), "the backup");
    }

    [Fact]
    public async Task ReadIntent_FlippedBit_IsDamagedAndWithoutChecksumIsRead()
    {
        var id = Guid.NewGuid();
        string key = StoreKeys.Intent(Repositories.VolumeId, id);
        var intents = new IntentStore(_store, Elsewhere());
        await intents.PutAsync(new Intent { Backup = _first with { Id = id }, Writer = intents.Writers.Identity }, Repositories.Token);
        string mark = await intents.PutDeletionAsync(_first, Guid.NewGuid(), Repositories.Token);
        IntentListing listing = await intents.ListAsync(null, Repositories.Token);
        Assert.Equal((null, "elsewhere", "elsewhere"), (listing.Intents[0].Damage, listing.Intents[0].Writer!.Host, listing.Deletions[0].Deleter!.Host));
        foreach (string damaged in new[] { key, mark })
        {
            string text = Encoding.UTF8.GetString(await _store.GetAllAsync(damaged, 1 << 20, Repositories.Token));
            await _store.PutAsync(damaged, Encoding.UTF8.GetBytes(text.Replace("elsewhere", "elsewherf", StringComparison.Ordinal)), cancellationToken: Repositories.Token);
        }

        listing = await intents.ListAsync(null, Repositories.Token);
        Assert.NotNull(listing.Intents[0].Damage);
        Assert.Null(listing.Deletions[0].Deleter);
        foreach (string old in new[] { key, mark })
        {
            string text = Encoding.UTF8.GetString(await _store.GetAllAsync(old, 1 << 20, Repositories.Token));
            await _store.PutAsync(old, Encoding.UTF8.GetBytes(text[..text.LastIndexOf(",\n  \"checksum\"", StringComparison.Ordinal)] + "}"), cancellationToken: Repositories.Token);
        }

        listing = await intents.ListAsync(null, Repositories.Token);
        Assert.Equal((null, "elsewherf", "elsewherf"), (listing.Intents[0].Damage, listing.Intents[0].Writer!.Host, listing.Deletions[0].Deleter!.Host));
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(5, 9)]
    public async Task OpenAsync_IntentTimesThatDoNotFit_Throws(int refreshMinutes, int staleMinutes) => await Assert.ThrowsAsync<ArgumentException>(() => BackupRepository.OpenAsync(
        _store,
        new RepositoryOptions { IntentRefreshInterval = TimeSpan.FromMinutes(refreshMinutes), IntentStaleAfter = TimeSpan.FromMinutes(staleMinutes) },
        Repositories.Token));

    private static LocalWriters Elsewhere() => new(new ProcessIdentity("elsewhere", "another system", 4711, "1"));

    private static Task<BackupRepository> OpenAsync(IObjectStore store, LocalWriters writers, TimeProvider? time = null) =>
        BackupRepository.OpenAsync(store, new RepositoryOptions { Writers = writers, TimeProvider = time ?? TimeProvider.System }, Repositories.Token);

    /// <summary>Lets time pass, and waits for each refresh.</summary>
    private static async Task PassAsync(FakeTimeProvider time, InMemoryObjectStore store, string key, TimeSpan span)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < span; passed += TimeSpan.FromMinutes(5))
        {
            time.Advance(TimeSpan.FromMinutes(5));
            while ((await store.HeadAsync(key, Repositories.Token))!.Value.LastModified < time.GetUtcNow())
                await Task.Delay(1, Repositories.Token);
        }
    }

    /// <summary>An incremental of the first by a process elsewhere that ends after its intent, and leaves a pack.</summary>
    private async Task<Guid> InterruptAsync(InMemoryObjectStore store)
    {
        var id = Guid.NewGuid();
        Backup draft = _first with { Id = id, ParentId = _first.Id, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(_first.VolumeId, id), ManifestSha256 = null };
        var intents = new IntentStore(store, Elsewhere());
        await intents.PutAsync(new Intent { Backup = draft, Writer = intents.Writers.Identity }, Repositories.Token);
        await store.PutAsync(StoreKeys.Pack(_first.VolumeId, id, 1), new byte[100], cancellationToken: Repositories.Token);
        return id;
    }

    /// <summary>Refreshes fail, everything else does not.</summary>
    private sealed class UnrefreshableStore(InMemoryObjectStore inner) : IObjectStore
    {
        public bool IsFailing { get; set; }

        public bool IsStoringAllTheSame { get; init; }

        public string Name => inner.Name;

        public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default)
        {
            bool fails = IsFailing && condition.Expected is not null;
            if (!fails || IsStoringAllTheSame)
                await inner.PutAsync(key, content, condition, cancellationToken);
            if (fails)
                throw new ObjectStoreException(ObjectStoreError.Unavailable, key, "no answer");
        }

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) => inner.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => inner.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Time passes and timers do not fire, as when a process is suspended.</summary>
    private sealed class SlowTimer(DateTimeOffset now) : TimeProvider
    {
        public TimeSpan Elapsed { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => now + Elapsed;

        public override long GetTimestamp() => Elapsed.Ticks;
    }
}
