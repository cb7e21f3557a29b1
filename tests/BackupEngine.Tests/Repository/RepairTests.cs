using System.Security.Cryptography;
using System.Text;
using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using Xunit;

namespace BackupEngine.Tests.Repository;

public sealed class RepairTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _first = Repositories.Noise(300_000);
    private readonly byte[] _second = Repositories.Noise(300_000);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private Backup _child = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _full = await _repository.FullAsync(new MemoryVolume(_first));
        _second[70_000]++;
        _child = await _repository.IncrementalAsync(new MemoryVolume(_second));
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_sound_repository_is_left_alone()
    {
        List<string> before = await _store.ListKeysAsync();
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.RecordsRebuilt.Concat(report.BackupsMarked));
        Assert.Empty(report.Findings);
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_damaged_record_is_made_anew_from_its_manifest()
    {
        await _store.PutAsync(StoreKeys.Record(_full.VolumeId, _full.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([_full.Id], report.RecordsRebuilt);
        Backup rebuilt = await _repository.GetAsync(_full.Id, Repositories.Token);
        Assert.Equal((BackupStatus.Available, 300_000L, _full.ManifestSha256, true), (rebuilt.Status, rebuilt.SizeBytes, rebuilt.ManifestSha256, rebuilt.HasDependentBackups));
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(rebuilt), "the backup whose record was made anew");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after a repair");
    }

    [Fact]
    public async Task A_record_and_manifest_damaged_together_leave_a_backup_in_error_that_can_be_deleted()
    {
        await _store.PutAsync(StoreKeys.Record(_child.VolumeId, _child.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        await _store.PutAsync(_child.ManifestKey!, "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([_child.Id], report.BackupsMarked);
        Assert.Contains("cannot be made anew", (await _repository.GetAsync(_child.Id, Repositories.Token)).FailReason, StringComparison.Ordinal);
        await _repository.DeleteAsync(_child.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after a repair");
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(_full), "the parent");
    }

    /// <summary>Whose data it names, only the record knows; a record in its place that names nothing let the next prune remove the data.</summary>
    [Fact]
    public async Task A_flipped_bit_in_the_record_of_an_import_does_not_cost_its_data()
    {
        Backup copy = await ImportCopyOfFullAsync();
        string key = StoreKeys.Record(copy.VolumeId, copy.Id);
        byte[] record = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        record[10] ^= 1;
        await _store.PutAsync(key, record, cancellationToken: Repositories.Token);
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));

        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([copy.Id], report.RecordsRebuilt);
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(copy), "the import whose record was made anew");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after a repair");
    }

    [Fact]
    public async Task A_record_of_which_nothing_is_left_stays_while_there_is_data_that_could_be_its_own()
    {
        Backup copy = await ImportCopyOfFullAsync();
        await _store.PutAsync(StoreKeys.Record(copy.VolumeId, copy.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.BackupsMarked);
        Assert.Equal([copy.Id], report.Findings.Select(finding => finding.BackupId));
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));

        // The data itself is a backup again, under the id that it first had.
        Assert.Equal([_full.Id], report.RecordsRebuilt);
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(_full), "the data of the record");

        // Whoever does not need it says so.
        await _repository.DeleteAsync(copy.Id, Repositories.Token);
        await _repository.DeleteAsync(_full.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after it was given up");
    }

    /// <summary>Each stood in the way of the other, and both in that of every prune.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Backups_whose_manifests_cannot_be_read_can_be_deleted_and_leave_prune_to_the_others(bool areMissing)
    {
        foreach (string key in new[] { _full.ManifestKey!, _child.ManifestKey! })
        {
            if (areMissing)
                await _store.DeleteAsync(key, Repositories.Token);
            else
                await _store.PutAsync(key, "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        }

        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), report.BackupsMarked.Order());
        Backup next = await _repository.FullAsync(new MemoryVolume(_second));
        PruneReport pruned = await _repository.PruneAsync(cancellationToken: Repositories.Token);
        Assert.Contains(pruned.Kept, kept => kept.Contains(_full.Id.ToString(), StringComparison.Ordinal) || kept.Contains(_child.Id.ToString(), StringComparison.Ordinal));
        Assert.Equal(0, pruned.PacksRemoved);

        await _repository.DeleteAsync(_full.Id, Repositories.Token);
        await _repository.DeleteAsync(_child.Id, Repositories.Token);
        VolumeAssert.Same(_second, await _repository.RestoreOverAsync(next), "the one that is left");
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the damaged ones are deleted");
    }

    [Fact]
    public async Task Records_and_an_intent_of_which_nothing_is_left_can_be_given_up_one_by_one()
    {
        Backup copy = await ImportCopyOfFullAsync();
        Backup second = await _repository.ImportRecordAsync(RecordTests.WithId(await _repository.ExportRecordAsync(copy.Id, Repositories.Token), Guid.NewGuid()), Repositories.Token);
        foreach (string key in new[] { StoreKeys.Record(copy.VolumeId, copy.Id), StoreKeys.Record(second.VolumeId, second.Id), StoreKeys.Intent(copy.VolumeId, Guid.NewGuid()) })
            await _store.PutAsync(key, "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(2, (await _repository.ListAsync(cancellationToken: Repositories.Token)).Count(backup => backup.IsUnreadable));

        await _repository.DeleteAsync(copy.Id, Repositories.Token);
        Assert.NotNull(await _store.HeadAsync(_full.ManifestKey!, Repositories.Token));
        await _repository.DeleteAsync(second.Id, Repositories.Token);

        // That both named the data was known to their records alone; so it is not known to be needed by nobody, and goes when that is said.
        var options = new PruneOptions { BreakIntents = true, IntentAge = TimeSpan.Zero };
        await Assert.ThrowsAsync<BackupStateException>(() => _repository.PruneAsync(options, Repositories.Token));
        await _repository.PruneAsync(options with { RemoveOrphans = true, OrphanAge = TimeSpan.Zero, VolumesWithoutRecords = [_full.VolumeId] }, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    /// <summary>A bad read of a manifest made a record that named nothing, and the next prune removed all that the backup had.</summary>
    [Theory]
    [InlineData(StoreFault.TruncatedRead)]
    [InlineData(StoreFault.FlippedBit)]
    [InlineData(StoreFault.ErrorBefore)]
    [InlineData(StoreFault.ErrorAfter)]
    public async Task A_repair_during_which_any_single_call_goes_wrong_costs_nothing(StoreFault fault)
    {
        await _store.PutAsync(StoreKeys.Record(_full.VolumeId, _full.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        string soundKey = StoreKeys.Record(_child.VolumeId, _child.Id);
        byte[] sound = await _store.GetAllAsync(soundKey, 1 << 20, Repositories.Token);
        int seed = TestSeed.Next();
        bool hasFailed = true;
        for (int call = 2; hasFailed; call++)
        {
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await using var faulty = new FaultInjectingObjectStore(store, seed + call) { FailingCall = call, Fault = fault };
            await Record.ExceptionAsync(async () => await (await Repositories.OpenAsync(faulty)).RepairAsync(cancellationToken: Repositories.Token));
            hasFailed = faulty.HasFailed || faulty.Calls > call;
            BackupRepository repository = await Repositories.OpenAsync(store);
            await repository.RepairAsync(cancellationToken: Repositories.Token);
            VolumeAssert.Same(_first, await repository.RestoreOverAsync(_full), $"{fault} at call {call}, seed {seed}, the one whose record was damaged");
            VolumeAssert.Same(_second, await repository.RestoreOverAsync(_child), $"{fault} at call {call}, seed {seed}, its child");
            byte[] after = await store.GetAllAsync(soundKey, 1 << 20, Repositories.Token);
            Assert.True(sound.AsSpan().SequenceEqual(after), $"{fault} at call {call}, seed {seed}: a sound record was changed");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"{fault} at call {call}, seed {seed}");
        }
    }

    [Fact]
    public async Task A_record_whose_manifest_is_of_a_later_version_is_left_to_a_later_engine()
    {
        byte[] manifest = await _store.GetAllAsync(_child.ManifestKey!, 1 << 20, Repositories.Token);
        manifest[ManifestFormat.Header.Version]++;
        SHA256.HashData(manifest.AsSpan(0, manifest.Length - SHA256.HashSizeInBytes), manifest.AsSpan(manifest.Length - SHA256.HashSizeInBytes));
        await _store.PutAsync(_child.ManifestKey!, manifest, cancellationToken: Repositories.Token);
        await _store.PutAsync(StoreKeys.Record(_child.VolumeId, _child.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.RecordsRebuilt.Concat(report.BackupsMarked));
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));
        Assert.NotNull(await _store.HeadAsync(_child.ManifestKey!, Repositories.Token));
    }

    /// <summary>Its manifest is as young as the last repack, or the last copy of the store; rules would keep it in place of the newest.</summary>
    [Theory]
    [InlineData("\"id\"", "?id\"")]
    [InlineData("\"data_timestamp\": \"2026", "\"data_timestamp\": \"2036")]
    [InlineData("\"created_at\": \"2026", "\"created_at\": \"2006")]
    [InlineData(null, "garbage")]
    public async Task A_record_that_is_made_anew_has_the_time_that_it_had(string? undamaged, string damaged)
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using var store = new InMemoryObjectStore(clock);
        BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { TimeProvider = clock }, Repositories.Token);
        Backup old = await repository.FullAsync(new MemoryVolume(_first));
        clock.Now += TimeSpan.FromDays(30);
        Backup newest = await repository.FullAsync(new MemoryVolume(_second));
        clock.Now += TimeSpan.FromDays(1);
        await store.PutAsync(old.ManifestKey!, await store.GetAllAsync(old.ManifestKey!, 1 << 20, Repositories.Token), cancellationToken: Repositories.Token);
        string key = StoreKeys.Record(old.VolumeId, old.Id);
        string record = Encoding.UTF8.GetString(await store.GetAllAsync(key, 1 << 20, Repositories.Token));
        Assert.Contains(undamaged ?? "", record, StringComparison.Ordinal);
        await store.PutAsync(key, Encoding.UTF8.GetBytes(undamaged is null ? damaged : record.Replace(undamaged, damaged, StringComparison.Ordinal)), cancellationToken: Repositories.Token);

        await repository.RepairAsync(cancellationToken: Repositories.Token);
        Backup rebuilt = await repository.GetAsync(old.Id, Repositories.Token);
        Assert.Equal((BackupStatus.Available, old.CreatedAt, old.DataTimestamp), (rebuilt.Status, rebuilt.CreatedAt, rebuilt.DataTimestamp));
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal([newest.Id], (await repository.ListAsync(cancellationToken: Repositories.Token)).Select(backup => backup.Id));
    }

    [Fact]
    public async Task Backups_that_share_a_damaged_pack_are_marked_with_the_bytes_that_are_lost()
    {
        string key = StoreKeys.Pack(Repositories.VolumeId, _full.Id, 1);
        byte[] pack = await _store.GetAllAsync(key, 1 << 20, Repositories.Token);
        pack[100] ^= 1;
        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), report.BackupsMarked.Order());
        Backup marked = await _repository.GetAsync(_child.Id, Repositories.Token);
        Assert.Equal(BackupStatus.Error, marked.Status);
        Assert.StartsWith("volume bytes 0-65536 are lost: " + key, marked.FailReason, StringComparison.Ordinal);

        // Nobody may name it as parent; an incremental that may choose builds on it, but takes nothing out of the damaged pack.
        Assert.Equal([key], marked.DamagedPacks);
        await Assert.ThrowsAsync<BackupStateException>(() => _repository.FullAsync(new MemoryVolume(_second), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = _child.Id }));
        Backup again = await _repository.IncrementalAsync(new MemoryVolume(_second));
        Assert.Equal(_child.Id, again.ParentId);
        VolumeAssert.Same(_second, await _repository.RestoreOverAsync(again), "the next incremental");
        await _repository.DeleteAsync(_child.Id, Repositories.Token);
        await _repository.DeleteAsync(_full.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after the damaged ones are deleted");
    }

    /// <summary>The full under another id; the original and its child are deleted.</summary>
    private async Task<Backup> ImportCopyOfFullAsync()
    {
        Backup copy = await _repository.ImportRecordAsync(RecordTests.WithId(await _repository.ExportRecordAsync(_full.Id, Repositories.Token), Guid.NewGuid()), Repositories.Token);
        await _repository.DeleteAsync(_child.Id, Repositories.Token);
        await _repository.DeleteAsync(_full.Id, Repositories.Token);
        return copy;
    }
}
