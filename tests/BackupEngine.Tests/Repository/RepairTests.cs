using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
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
        Assert.Empty(report.RecordsRebuilt.Concat(report.BackupsMarked));
        Assert.Equal([copy.Id], report.Findings.Select(finding => finding.BackupId));
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));
        Assert.NotNull(await _store.HeadAsync(_full.ManifestKey!, Repositories.Token));

        // Whoever does not need it says so.
        await _repository.DeleteAsync(copy.Id, Repositories.Token);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(_store, "after it was given up");
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
