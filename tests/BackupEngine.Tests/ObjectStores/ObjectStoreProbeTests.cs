using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.ObjectStores;

/// <summary>The check of a store before the first write, with stores that honour conditions and stores that do not.</summary>
public sealed class ObjectStoreProbeTests : IDisposable
{
    private readonly InMemoryObjectStore _memory = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("probe").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Check_InMemoryStore_IsSafeAndLeavesNothing()
    {
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(_memory, Repositories.Token);
        Assert.True(report.IsSafe);
        Assert.False(report.HoldsRepository);
        Assert.All(report.Checks, check => Assert.Equal(ObjectStoreCheckResult.Supported, check.Result));
        Assert.Equal(Enum.GetValues<ObjectStoreFeature>().Order(), report.Checks.Select(check => check.Feature).Order());
        Assert.NotEmpty(report.NotChecked);
        Assert.Empty(await _memory.ListKeysAsync());
    }

    [Fact]
    public async Task Check_DirectoryStoreWithRepository_IsSafeAndChangesNothing()
    {
        await using var store = new DirectoryObjectStore(_directory);
        await (await Repositories.OpenCheckedAsync(store)).FullAsync(new MemoryVolume(Repositories.Noise(100_000)));
        Dictionary<string, byte[]> before = await ReadAllAsync(store);
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Repositories.Token);
        Assert.True(report.IsSafe);
        Assert.True(report.HoldsRepository);
        Assert.All(report.Checks, check => Assert.Equal(ObjectStoreCheckResult.Supported, check.Result));
        Assert.Equal(before, await ReadAllAsync(store));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Check_StoreThatIgnoresConditions_NamesWhatIsMissingAndLeavesNothing(bool honoursIfAbsent, bool honoursIfUnchanged)
    {
        await using var store = new UnconditionalObjectStore(_memory) { HonoursIfAbsent = honoursIfAbsent, HonoursIfUnchanged = honoursIfUnchanged };
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Repositories.Token);
        Assert.False(report.IsSafe);
        ObjectStoreFeature[] missing = [.. report.Checks.Where(check => check.Result == ObjectStoreCheckResult.Missing).Select(check => check.Feature).Order()];
        Assert.Equal(
            [
                .. honoursIfAbsent ? Array.Empty<ObjectStoreFeature>() : [ObjectStoreFeature.PutIfAbsent],
                .. honoursIfUnchanged ? Array.Empty<ObjectStoreFeature>() : [ObjectStoreFeature.RefuseIfChanged, ObjectStoreFeature.RefuseIfMissing],
            ],
            missing);
        Assert.Empty(await _memory.ListKeysAsync());
    }

    [Theory]
    [InlineData(false, false, "If-None-Match")]
    [InlineData(true, false, "If-Match")]
    [InlineData(false, true, "If-None-Match")]
    public async Task Create_StoreThatIgnoresConditions_IsRefusedAndLeavesNothing(bool honoursIfAbsent, bool honoursIfUnchanged, string named)
    {
        await using var store = new UnconditionalObjectStore(_memory) { HonoursIfAbsent = honoursIfAbsent, HonoursIfUnchanged = honoursIfUnchanged };
        UnsupportedObjectStoreException e = await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => Repositories.OpenCheckedAsync(store));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.Contains(_memory.Name, e.Message, StringComparison.Ordinal);
        Assert.False(e.Report.IsSafe);
        Assert.False(e.IsTransient);
        Assert.Empty(await _memory.ListKeysAsync());
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("delete")]
    [InlineData("prune")]
    [InlineData("import")]
    [InlineData("repair")]
    public async Task Write_StoreThatIgnoresConditions_IsRefusedAndChangesNothing(string operation)
    {
        (Backup full, ExportedRecord lost) = await PrepareAsync(damagesRecord: operation == "repair");
        Dictionary<string, byte[]> before = await ReadAllAsync(_memory);
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store);
        await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => RunAsync(repository, operation, full, lost));
        Assert.Equal(before, await ReadAllAsync(_memory));
    }

    [Fact]
    public async Task Read_StoreThatIgnoresConditions_NeedsNoProbe()
    {
        (Backup full, _) = await PrepareAsync();
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store);
        VolumeAssert.Same(Repositories.Noise(300_000), await repository.RestoreOverAsync(full), "restored");
        Assert.Empty((await repository.VerifyAsync(cancellationToken: Repositories.Token)).Findings);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1, DryRun = true }, Repositories.Token);
        Assert.Equal(0, repository.Requests.Put);
    }

    [Fact]
    public async Task FirstWrite_Store_IsProbedOnceWithFiveCallsAndARead()
    {
        await Repositories.OpenAsync(_memory);
        await using var store = new UnconditionalObjectStore(_memory) { HonoursIfAbsent = true, HonoursIfUnchanged = true };
        (long put, long get, long delete) first = await CountAsync(store, "volume-1");
        (long put, long get, long delete) second = await CountAsync(store, "volume-2");
        Assert.Equal((4, 1, 1), (first.put - second.put, first.get - second.get, first.delete - second.delete));

        static async Task<(long, long, long)> CountAsync(IObjectStore store, string volumeId)
        {
            BackupRepository repository = await Repositories.OpenCheckedAsync(store);
            await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = volumeId, Resume = false });
            RequestCounts counts = repository.Requests;
            return (counts.Put, counts.Get, counts.Delete);
        }
    }

    [Fact]
    public async Task Create_AfterKilledProbe_RemovesItsObject()
    {
        var clock = new ManualClock(DateTimeOffset.UnixEpoch.AddYears(50));
        await using var store = new InMemoryObjectStore(clock);
        string abandoned = StoreKeys.NewProbe();
        await store.PutAsync(abandoned, new byte[10], cancellationToken: Repositories.Token);
        clock.Now += TimeSpan.FromDays(2);
        string recent = StoreKeys.NewProbe();
        await store.PutAsync(recent, new byte[10], cancellationToken: Repositories.Token);
        await Repositories.OpenCheckedAsync(store, new RepositoryOptions { TimeProvider = clock });
        Assert.Equal([StoreKeys.Repository, recent], await store.ListKeysAsync());
    }

    [Fact]
    public async Task Create_TwiceAtOnce_BothUseOneRepository()
    {
        for (int round = 0; round < 20; round++)
        {
            await using var memory = new InMemoryObjectStore();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Repositories.OpenCheckedAsync(new UnconditionalObjectStore(memory) { HonoursIfAbsent = true, HonoursIfUnchanged = true }))));
            Assert.Equal([StoreKeys.Repository], await memory.ListKeysAsync());
        }
    }

    [Fact]
    public async Task FirstWrite_ManyStoresAtOnce_AllAreSafe()
    {
        await Repositories.OpenAsync(_memory);
        byte[] file = await _memory.GetAllAsync(StoreKeys.Repository, 10_000, Repositories.Token);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            BackupRepository repository = await Repositories.OpenCheckedAsync(new UnconditionalObjectStore(_memory) { HonoursIfAbsent = true, HonoursIfUnchanged = true });
            await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = $"volume-{i}" });
        })));
        Assert.Equal(file, await _memory.GetAllAsync(StoreKeys.Repository, 10_000, Repositories.Token));
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_memory, "after many probes");
    }

    /// <summary>A call of the probe that fails in any way is no proof of anything: the write fails, the retry succeeds, and nothing is left.</summary>
    [Theory]
    [InlineData("create")]
    [InlineData("full")]
    [InlineData("delete")]
    public async Task Probe_AnyCallFails_NothingIsLostAndRetrySucceeds(string operation)
    {
        int seed = TestSeed.Next();
        int faults = 0;
        foreach (StoreFault fault in (StoreFault[])[StoreFault.ErrorBefore, StoreFault.ErrorAfter, StoreFault.Timeout])
        {
            for (int call = 1; call <= 9; call++)
            {
                string what = $"{operation}, {fault} at call {call}, seed {seed}";
                await using var store = new InMemoryObjectStore();
                Backup? full = operation == "create" ? null : await (await Repositories.OpenAsync(store)).FullAsync(new MemoryVolume(Repositories.Noise(1000)));
                await using var faulty = new FaultInjectingObjectStore(store, seed + call) { FailingCall = call, Fault = fault };
                try
                {
                    BackupRepository repository = await Repositories.OpenCheckedAsync(faulty);
                    if (operation == "full")
                        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = "volume-2" });
                    if (operation == "delete")
                        await repository.DeleteAsync(full!.Id, Repositories.Token);
                }
                catch (ObjectStoreException e)
                {
                    Assert.True(faulty.HasFailed, $"{what}: {e}");
                }

                faults += faulty.HasFailed ? 1 : 0;
                await faulty.FinishLateCallsAsync();
                BackupRepository again = await Repositories.OpenCheckedAsync(store);
                await again.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = "volume-3" });
                await again.PruneAsync(cancellationToken: Repositories.Token);
                List<string> left = [.. (await store.ListKeysAsync()).Where(key => !key.StartsWith(StoreKeys.Probes, StringComparison.Ordinal))];
                Assert.Equal(await store.ListReferencedAsync(), left);
            }
        }

        Assert.True(faults > 20, $"only {faults} faults");
    }

    [Fact]
    public async Task SingleWriter_StoreThatIgnoresConditions_BacksUpImportsAndDeletes()
    {
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store, new RepositoryOptions { SingleWriter = true });
        byte[] content = Repositories.Noise(300_000);
        Backup full = await repository.FullAsync(new MemoryVolume(content));
        content[5]++;
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(content));
        VolumeAssert.Same(content, await repository.RestoreOverAsync(incremental), "incremental");
        ExportedRecord record = await repository.ExportRecordAsync(incremental.Id, Repositories.Token);
        await _memory.DeleteAsync(StoreKeys.Record(incremental.VolumeId, incremental.Id), Repositories.Token);
        await repository.ImportRecordAsync(record, Repositories.Token);
        await Assert.ThrowsAsync<BackupHasDependentsException>(() => repository.DeleteAsync(full.Id, Repositories.Token));
        await repository.DeleteAsync(incremental.Id, Repositories.Token);
        await repository.DeleteAsync(full.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _memory.ListKeysAsync());
    }

    /// <summary>The conditions are checked by the engine then, so that what one process alone gets wrong is still refused.</summary>
    [Fact]
    public async Task SingleWriter_ChosenIdIsTaken_IsRefused()
    {
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store, new RepositoryOptions { SingleWriter = true });
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)));
        await new IntentStore(_memory).PutAsync(new Intent { Backup = full with { Id = Guid.Parse("11111111-1111-1111-1111-111111111111") } }, Repositories.Token);
        await Assert.ThrowsAsync<BackupStateException>(() => repository.FullAsync(
            new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = Repositories.VolumeId, BackupId = Guid.Parse("11111111-1111-1111-1111-111111111111") }));
    }

    [Theory]
    [InlineData("prune")]
    [InlineData("delete")]
    [InlineData("repair")]
    [InlineData("resume")]
    public async Task SingleWriter_WhatDependsOnConditions_IsRefused(string operation)
    {
        (Backup full, ExportedRecord lost) = await PrepareAsync();
        await _memory.DeleteAsync(StoreKeys.Record(full.VolumeId, Guid.Empty), Repositories.Token);
        Guid interrupted = Guid.NewGuid();
        LocalWriters.Current.Begin(interrupted).Dispose();
        await new IntentStore(_memory).PutAsync(
            new Intent { Backup = full with { Id = interrupted, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(full.VolumeId, interrupted) }, Writer = ProcessIdentity.Current }, Repositories.Token);
        Dictionary<string, byte[]> before = await ReadAllAsync(_memory);
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store, new RepositoryOptions { SingleWriter = true });
        UnsupportedObjectStoreException e = await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => operation == "resume"
            ? repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = Repositories.VolumeId, ResumeId = interrupted })
            : RunAsync(repository, operation, full, lost));
        Assert.Contains("single-writer mode", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, await ReadAllAsync(_memory));
    }

    [Fact]
    public async Task SingleWriter_InterruptedBackup_IsNotAdopted()
    {
        (Backup full, _) = await PrepareAsync();
        Guid interrupted = Guid.NewGuid();
        LocalWriters.Current.Begin(interrupted).Dispose();
        var intent = new Intent { Backup = full with { Id = interrupted, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(full.VolumeId, interrupted) }, Writer = ProcessIdentity.Current };
        await new IntentStore(_memory).PutAsync(intent, Repositories.Token);
        await using var store = new UnconditionalObjectStore(_memory);
        BackupRepository repository = await Repositories.OpenCheckedAsync(store, new RepositoryOptions { SingleWriter = true });
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)));
        Assert.Contains(StoreKeys.Intent(full.VolumeId, interrupted), await _memory.ListKeysAsync());
        Assert.DoesNotContain(StoreKeys.Record(full.VolumeId, interrupted), await _memory.ListKeysAsync());
    }

    [Fact]
    public async Task SingleWriter_StoreThatHonoursConditions_AllowsEverything()
    {
        (Backup full, _) = await PrepareAsync();
        BackupRepository repository = await Repositories.OpenCheckedAsync(_memory, new RepositoryOptions { SingleWriter = true });
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)));
        PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal([full.Id], report.BackupsRemoved);
    }

    /// <returns>A backup that is there, and the record of one whose record is not.</returns>
    private async Task<(Backup Full, ExportedRecord Lost)> PrepareAsync(bool damagesRecord = false)
    {
        BackupRepository repository = await Repositories.OpenAsync(_memory);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(300_000)));
        await repository.FullAsync(new MemoryVolume(Repositories.Noise(1000)), new BackupOptions { VolumeId = "volume-2" });
        Backup lost = await repository.FullAsync(new MemoryVolume(Repositories.Noise(300_000)), new BackupOptions { VolumeId = "volume-2" });
        ExportedRecord record = await repository.ExportRecordAsync(lost.Id, Repositories.Token);
        await _memory.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
        if (damagesRecord)
            await _memory.PutAsync(StoreKeys.Record(full.VolumeId, full.Id), new byte[] { 1, 2, 3 }, cancellationToken: Repositories.Token);
        return (full, record);
    }

    private static Task RunAsync(BackupRepository repository, string operation, Backup full, ExportedRecord lost) => operation switch
    {
        "backup" => repository.FullAsync(new MemoryVolume(Repositories.Noise(1000))),
        "delete" => repository.DeleteAsync(full.Id, Repositories.Token),
        "prune" => repository.PruneAsync(new PruneOptions { RemoveOrphans = true, OrphanAge = TimeSpan.Zero }, Repositories.Token),
        "import" => repository.ImportRecordAsync(lost, Repositories.Token),
        _ => repository.RepairAsync(cancellationToken: Repositories.Token),
    };

    private static async Task<Dictionary<string, byte[]>> ReadAllAsync(IObjectStore store)
    {
        var all = new Dictionary<string, byte[]>();
        foreach (string key in await store.ListKeysAsync())
            all[key] = await store.GetAllAsync(key, 1 << 28, Repositories.Token);
        return all;
    }
}
