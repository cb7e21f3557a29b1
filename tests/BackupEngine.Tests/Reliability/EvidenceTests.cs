using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Limits;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>Data goes only when something says that it was to go; and what ordinary crashes leave always says so.</summary>
public sealed class EvidenceTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly InMemoryObjectStore _store = new();
    private readonly Dictionary<Guid, byte[]> _contents = [];

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>Random chains of two volumes lose random records: prune refuses or keeps all, repair rebuilds, and everything restores.</summary>
    [Fact]
    public async Task Repair_RandomRecordsLost_RebuildsThemAndNothingIsLost()
    {
        int seed = TestSeed.Next();
        int refused = 0;
        for (int round = 0; round < 12; round++)
        {
            var random = new Random(unchecked(seed + round));
            string what = $"seed {unchecked(seed + round)}";
            await using var store = new InMemoryObjectStore();
            BackupRepository repository = await Repositories.OpenAsync(store);
            List<Backup> backups = await CreateChainsAsync(repository, random, "volume-1", "volume-2");
            Backup[] lost = [.. backups.Where(_ => round % 3 == 0 || random.Next(2) == 0)];
            foreach (Backup backup in lost)
                await store.DeleteAsync(StoreKeys.Record(backup.VolumeId, backup.Id), Repositories.Token);
            List<string> before = await store.ListKeysAsync();
            string[] empty = [.. backups.Select(backup => backup.VolumeId).Distinct().Where(volumeId => backups.All(backup => backup.VolumeId != volumeId || lost.Contains(backup)))];
            try
            {
                PruneReport report = await repository.PruneAsync(cancellationToken: Repositories.Token);
                Assert.True(empty.Length == 0, $"{what}: prune did not refuse volumes without any record");
                Assert.Equal(lost.Select(backup => backup.Id).Order(), report.Unreferenced.Select(data => data.BackupId).Order());
            }
            catch (BackupStateException e)
            {
                refused++;
                Assert.True(empty.Length > 0, $"{what}: {e.Message}");
                Assert.All(empty, volumeId => Assert.Contains(volumeId, e.Message, StringComparison.Ordinal));
            }

            Assert.True(before.SequenceEqual(await store.ListKeysAsync()), $"{what}: prune changed something");
            RepairReport repair = await repository.RepairAsync(cancellationToken: Repositories.Token);
            Assert.True(lost.Select(backup => backup.Id).Order().SequenceEqual(repair.RecordsRebuilt.Order()), $"{what}: rebuilt {repair.RecordsRebuilt.Count} of {lost.Length}");
            Assert.Empty(repair.Findings);
            foreach (Backup backup in lost)
            {
                Backup rebuilt = await repository.GetAsync(backup.Id, Repositories.Token);
                Assert.Equal((BackupStatus.Available, BackupStateReason.Rebuilt, backup.ParentId, backup.ManifestKey, backup.ManifestSha256), (rebuilt.Status, rebuilt.StateReason!.Value, rebuilt.ParentId, rebuilt.ManifestKey, rebuilt.ManifestSha256));
            }

            await CheckAsync(store, backups.Select(backup => backup.Id), what);
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
            await CheckAsync(store, backups.Select(backup => backup.Id), $"{what}, after prune");
        }

        output.WriteLine($"seed {seed}: {refused} prunes refused");
        Assert.True(refused > 0, "no prune was refused");
    }

    /// <summary>Retention beside lost records must not take what the manifests without a record need.</summary>
    [Fact]
    public async Task Prune_RetentionAndDeletesWithRecordsLost_KeepsWhatTheLostNeed()
    {
        int seed = TestSeed.Next();
        for (int round = 0; round < 15; round++)
        {
            var random = new Random(unchecked(seed + round));
            string what = $"seed {unchecked(seed + round)}";
            await using var store = new InMemoryObjectStore();
            BackupRepository repository = await Repositories.OpenAsync(store);
            List<Backup> backups = await CreateChainsAsync(repository, random, "volume-1");
            Backup lost = backups[random.Next(backups.Count - 1)];
            await store.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
            Guid[] leaves = [.. (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.HasDependentBackups == false).Select(backup => backup.Id)];
            if (random.Next(2) == 0 && backups.Count > 2)
                await repository.DeleteAsync(leaves[random.Next(leaves.Length)], Repositories.Token);
            if ((await repository.ListAsync(cancellationToken: Repositories.Token)).Count > 0)
                await repository.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = random.Next(2) == 0 ? 90 : null }, Repositories.Token);
            await repository.RepairAsync(cancellationToken: Repositories.Token);
            Backup again = await repository.GetAsync(lost.Id, Repositories.Token);
            Assert.True(again.Status == BackupStatus.Available, $"{what}: {again.FailReason}");
            VolumeAssert.Same(_contents[lost.Id], await repository.RestoreOverAsync(again), what);
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
        }
    }

    /// <summary>The process dies at every call to the store: the next prune leaves nothing behind, and nothing that is committed is lost.</summary>
    [LongRunning]
    [Theory]
    [InlineData("delete")]
    [InlineData("delete repacked")]
    [InlineData("retention")]
    [InlineData("repack")]
    [InlineData("failed backup")]
    [InlineData("cancelled backup")]
    [InlineData("resume")]
    [InlineData("repair")]
    public async Task Prune_AfterACrashAtAnyCall_LeavesNothingBehindAndLosesNothing(string operation)
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        BackupRepository preparing = await Repositories.OpenAsync(_store);
        List<Backup> backups = await CreateChainsAsync(preparing, random, "volume-1");
        await PrepareAsync(operation, preparing, backups);
        Backup lost = backups[^1];
        int crashes = 0;
        for (int call = 2; ; call++)
        {
            bool hasFailed = false;
            foreach (StoreFault fault in new[] { StoreFault.ErrorBefore, StoreFault.ErrorAfter })
            {
                string what = $"{operation}, {fault} from call {call} on, seed {seed}";
                await using InMemoryObjectStore store = await _store.CloneAsync();
                await using var dying = new FaultInjectingObjectStore(store, unchecked(seed + call)) { FailingCall = call, Fault = fault, FailsFromThenOn = true };
                await Record.ExceptionAsync(() => RunAsync(operation, dying, lost));
                hasFailed |= dying.HasFailed;
                BackupRepository repository = await Repositories.OpenAsync(store);
                IReadOnlyList<Backup> left = [.. (await repository.ListAsync(cancellationToken: Repositories.Token)).Where(backup => backup.Status == BackupStatus.Available)];
                if (operation is "failed backup" or "cancelled backup" or "resume" or "repack" or "repair")
                    Assert.Equal(backups.Count, left.Count(backup => _contents.ContainsKey(backup.Id)) + (operation == "repair" && left.Count < backups.Count ? 1 : 0));
                if (operation != "repair" || left.Count == backups.Count)
                    await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what);
                else
                    await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what, lost.ManifestKey!);
                foreach (Backup backup in left)
                    VolumeAssert.Same(_contents.GetValueOrDefault(backup.Id, _contents[lost.Id]), await repository.RestoreOverAsync(backup), $"{what}, backup {backup.Id}");
            }

            if (!hasFailed)
                break;
            crashes++;
        }

        output.WriteLine($"{operation}, seed {seed}: crashed at {crashes} calls");
        Assert.True(crashes > 5, $"{operation} made too few calls");
    }

    /// <summary>A manifest that a repack has replaced, of a deletion, or of an interrupted writer is not a backup that was lost.</summary>
    [Fact]
    public async Task Repair_ManifestsOfRepackDeletionAndWriter_AreNotResurrected()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        List<Backup> backups = await CreateChainsAsync(repository, new Random(TestSeed.Next()), "volume-1");
        byte[] content = Repositories.Noise(400_000);
        var options = new BackupOptions { VolumeId = "volume-1" };
        await repository.BackupAsync(new MemoryVolume(content), options, cancellationToken: Repositories.Token);
        content = [.. Repositories.Noise(200_000, 8), .. content[200_000..]];
        backups.Add(await repository.BackupAsync(new MemoryVolume(content), options with { Incremental = true }, cancellationToken: Repositories.Token));
        var records = new RecordStore(_store);

        // A repack of the half that the last one still needs changed the record, and died before the prune that removes the old manifest.
        await using (InMemoryObjectStore repacked = await _store.CloneAsync())
        {
            string old = backups[^1].ManifestKey!;
            byte[] bytes = await repacked.GetAllAsync(old, 1 << 20, Repositories.Token);
            BackupRepository own = await Repositories.OpenAsync(repacked);
            await own.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = 99 }, Repositories.Token);
            Backup now = Assert.Single(await own.ListAsync(cancellationToken: Repositories.Token));
            Assert.NotEqual(old, now.ManifestKey);
            await repacked.PutAsync(old, bytes, cancellationToken: Repositories.Token);
            Assert.Empty((await own.RepairAsync(cancellationToken: Repositories.Token)).RecordsRebuilt);
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(repacked, "after a repack");

            // Deleted before that prune, nothing of it is left either.
            await repacked.PutAsync(old, bytes, cancellationToken: Repositories.Token);
            await own.DeleteAsync(now.Id, Repositories.Token);
            Assert.Equal([StoreKeys.Repository], await repacked.ListKeysAsync());
        }

        // A deletion that was interrupted; and a writer that died before its commit.
        await records.ChangeRecordAsync(backups[^1], now => now with { Status = BackupStatus.Deleting }, Repositories.Token);
        Backup uncommitted = backups[0];
        Backup draft = uncommitted with { Status = BackupStatus.Creating, ManifestSha256 = null };
        await records.DeleteRecordAsync(uncommitted, Repositories.Token);
        await PutIntentAsync(draft);
        RepairReport report = await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.RecordsRebuilt);
    }

    /// <summary>An import that died says nothing about the data that it was to name.</summary>
    [Fact]
    public async Task Prune_StaleImportOfALostBackup_KeepsItsData()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        List<Backup> backups = await CreateChainsAsync(repository, new Random(TestSeed.Next()), "volume-1");
        Backup lost = backups[^1];
        await new RecordStore(_store).DeleteRecordAsync(lost, Repositories.Token);
        await PutIntentAsync(lost with { Status = BackupStatus.Creating });
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal([lost.Id], (await repository.RepairAsync(cancellationToken: Repositories.Token)).RecordsRebuilt);
        VolumeAssert.Same(_contents[lost.Id], await repository.RestoreOverAsync(lost), "the backup whose import died");
    }

    /// <summary>An intent of an earlier version has no checksum: a bit that flips in the manifest's key must not make it evidence against another backup.</summary>
    [Fact]
    public async Task Prune_IntentThatNamesTheManifestOfAnother_RemovesNothing()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        List<Backup> backups = await CreateChainsAsync(repository, new Random(TestSeed.Next()), "volume-1");
        Backup lost = backups[^1];
        await new RecordStore(_store).DeleteRecordAsync(lost, Repositories.Token);
        await PutIntentAsync(lost with { Id = Guid.NewGuid(), Status = BackupStatus.Creating, ManifestSha256 = null });
        List<string> before = await _store.ListKeysAsync();
        await Assert.ThrowsAsync<CorruptionException>(() => repository.PruneAsync(cancellationToken: Repositories.Token));
        Assert.Equal(before, await _store.ListKeysAsync());
        await repository.PruneAsync(new PruneOptions { BreakIntents = true, IntentAge = TimeSpan.Zero }, Repositories.Token);
        Assert.Equal([lost.Id], (await repository.RepairAsync(cancellationToken: Repositories.Token)).RecordsRebuilt);
        VolumeAssert.Same(_contents[lost.Id], await repository.RestoreOverAsync(lost), "the backup whose manifest another intent names");
    }

    /// <summary>What an older engine wrote in sentences is understood; what a user writes is not taken for it.</summary>
    [Fact]
    public void RecordState_SentencesOfOlderEngines_AreUnderstood()
    {
        Backup tombstone = RecordStore.CreateStub("volume-1", Guid.NewGuid(), BackupStatus.Deleting, "the backup failed");
        Assert.True(tombstone.IsWriterFailed());
        Assert.False((tombstone with { FailReason = "the backup was cut off" }).IsWriterFailed());
        Assert.False((tombstone with { StateReason = BackupStateReason.Expired }).IsWriterFailed());
        var adopter = Guid.NewGuid();
        Assert.Equal(adopter, (tombstone with { FailReason = $"cut off, and taken over by backup {adopter}" }).GetAdopter());
        Assert.Equal(adopter, (tombstone with { FailReason = "anything", StateReason = BackupStateReason.Adopted, AdoptedBy = adopter }).GetAdopter());
        Assert.Null(tombstone.GetAdopter());

        Backup rebuilt = tombstone with { Status = BackupStatus.Available, ManifestKey = "volumes/volume-1/manifests/x", Description = "the record was damaged, and made anew from the manifest" };
        Assert.True(rebuilt.IsRebuilt());
        Assert.False((rebuilt with { EngineVersion = "0.1.0", Container = "/backups" }).IsRebuilt());
    }

    /// <summary>Puts the intent of a writer of this process that is known to have ended.</summary>
    private async Task PutIntentAsync(Backup draft)
    {
        LocalWriters.Current.Begin(draft.Id).Dispose();
        await new IntentStore(_store).PutAsync(new Intent { Backup = draft, Writer = ProcessIdentity.Current }, Repositories.Token);
    }

    private async Task PrepareAsync(string operation, BackupRepository repository, List<Backup> backups)
    {
        Backup last = backups[^1];
        switch (operation)
        {
            case "delete repacked":
                {
                    // The old manifest is still there: the repack's prune died.
                    byte[] bytes = await _store.GetAllAsync(last.ManifestKey!, 1 << 20, Repositories.Token);
                    await repository.PruneAsync(new PruneOptions { KeepLast = 1, RepackBelowPercent = 99 }, Repositories.Token);
                    await _store.PutAsync(last.ManifestKey!, bytes, cancellationToken: Repositories.Token);
                    backups.RemoveAll(backup => backup.Id != last.Id);
                    break;
                }

            case "repack":
                await repository.PruneAsync(new PruneOptions { KeepLast = 2 }, Repositories.Token);
                backups.RemoveRange(0, backups.Count - 2);
                break;
            case "repair":
                await new RecordStore(_store).DeleteRecordAsync(last, Repositories.Token);
                break;
            case "resume":
                {
                    // A writer that died after it had stored a pack.
                    var dead = Guid.NewGuid();
                    Backup draft = last with { Id = dead, ParentId = null, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(last.VolumeId, dead), ManifestSha256 = null };
                    await PutIntentAsync(draft);
                    await _store.PutAsync(StoreKeys.Pack(last.VolumeId, dead, 1), await _store.GetAllAsync(StoreKeys.Pack(last.VolumeId, last.Id, 1), 1 << 30, Repositories.Token), cancellationToken: Repositories.Token);
                    break;
                }
        }
    }

    private async Task RunAsync(string operation, IObjectStore store, Backup last)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        byte[] content = [.. _contents[last.Id]];
        var incremental = new BackupOptions { VolumeId = last.VolumeId, ParentId = last.Id, Workers = 1, Resume = false };
        switch (operation)
        {
            case "delete" or "delete repacked":
                await repository.DeleteAsync(last.Id, Repositories.Token);
                break;
            case "retention":
                await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
                break;
            case "repack":
                await repository.PruneAsync(new PruneOptions { RepackBelowPercent = 99 }, Repositories.Token);
                break;
            case "failed backup":
                {
                    Repositories.Noise(content.Length - 1, 77).CopyTo(content, 0);
                    await using var watched = new WatchedStore(store, (key, token) => StoreKeys.TryParseManifest(key, out _, out Guid id) && !_contents.ContainsKey(id) ? throw new VolumeException("volume", "the test fails it") : ValueTask.CompletedTask);
                    await (await Repositories.OpenAsync(watched)).BackupAsync(new MemoryVolume(content), incremental, cancellationToken: Repositories.Token);
                    break;
                }

            case "cancelled backup":
                {
                    Repositories.Noise(content.Length - 1, 78).CopyTo(content, 0);
                    using var cancel = new CancellationTokenSource();
                    await using var watched = new WatchedStore(store, (key, token) => StoreKeys.TryParseManifest(key, out _, out Guid id) && !_contents.ContainsKey(id) ? new ValueTask(cancel.CancelAsync()) : ValueTask.CompletedTask);
                    await (await Repositories.OpenAsync(watched)).BackupAsync(new MemoryVolume(content), incremental, cancellationToken: cancel.Token);
                    break;
                }

            case "repair":
                await repository.RepairAsync(cancellationToken: Repositories.Token);
                break;
            default:
                await repository.BackupAsync(new MemoryVolume(content), incremental with { Resume = true }, cancellationToken: Repositories.Token);
                break;
        }
    }

    private async Task<List<Backup>> CreateChainsAsync(BackupRepository repository, Random random, params string[] volumes)
    {
        List<Backup> backups = [];
        foreach (string volumeId in volumes)
        {
            byte[] content = Repositories.Noise(400_000, random.Next());
            int count = random.Next(3, 6);
            for (int index = 0; index < count; index++)
            {
                content = [.. content];
                Repositories.Noise(random.Next(1, 150_000), random.Next()).CopyTo(content, random.Next(250_000));
                Backup backup = await repository.BackupAsync(
                    new MemoryVolume(content), new BackupOptions { VolumeId = volumeId, Incremental = index > 0 && random.Next(5) > 0 }, cancellationToken: Repositories.Token);
                _contents[backup.Id] = content;
                backups.Add(backup);
            }
        }

        return backups;
    }

    private async Task CheckAsync(IObjectStore store, IEnumerable<Guid> expected, string what)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        IReadOnlyList<Backup> left = await repository.ListAsync(cancellationToken: Repositories.Token);
        Assert.Equal(expected.Order(), left.Select(backup => backup.Id).Order());
        foreach (Backup backup in left)
            VolumeAssert.Same(_contents[backup.Id], await repository.RestoreOverAsync(backup), $"{what}, backup {backup.Id}");
    }
}
