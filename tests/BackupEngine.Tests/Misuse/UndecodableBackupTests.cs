using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Misuse;

/// <summary>A backup whose manifest cannot be decoded does not block the intact backups of its volume, nor other volumes.</summary>
public sealed class UndecodableBackupTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _first = Repositories.Noise(300_000, seed: 1);
    private readonly byte[] _second = Repositories.Noise(300_000, seed: 2);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private Backup _incremental = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _full = await _repository.FullAsync(new MemoryVolume(_first));
        _incremental = await _repository.IncrementalAsync(new MemoryVolume(_second));
    }

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task Incremental_LatestManifestUndecodable_BuildsOnTheOlderBackup()
    {
        await BreakAsync(await _repository.IncrementalAsync(new MemoryVolume(_first)));
        byte[] third = [.. _second];
        third[7]++;
        Backup next = await _repository.IncrementalAsync(new MemoryVolume(third));
        Assert.Equal(_incremental.Id, next.ParentId);
        VolumeAssert.Same(third, await _repository.RestoreOverAsync(next), "the next incremental");
    }

    [Fact]
    public async Task Incremental_NamedParentUndecodable_FailsAndUsesNoOtherParent()
    {
        Backup broken = await _repository.IncrementalAsync(new MemoryVolume(_first));
        await BreakAsync(broken);

        // Nothing has changed since the broken backup, but much since the others: with another parent, the supplied extents would lose data.
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = broken.Id, ChangedExtents = [] };
        List<string> keys = await _store.ListKeysAsync();
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.BackupAsync(new MemoryVolume(_first), options, cancellationToken: Repositories.Token));
        Assert.Equal(keys, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Incremental_NoManifestDecodable_NamesTheWayOut()
    {
        await BreakAsync(_full);
        await BreakAsync(_incremental);
        CorruptionException e = await Assert.ThrowsAsync<CorruptionException>(() => _repository.IncrementalAsync(new MemoryVolume(_first)));
        Assert.Contains("make a full backup", e.Message, StringComparison.Ordinal);
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(await _repository.FullAsync(new MemoryVolume(_first))), "the full");
    }

    [Fact]
    public async Task Delete_OtherFullBackupUndecodable_RemovesTheBackupWithItsPacks()
    {
        Backup broken = await _repository.FullAsync(new MemoryVolume(Repositories.Noise(200_000, seed: 3)));
        await BreakAsync(broken);
        await _repository.DeleteAsync(_incremental.Id, Repositories.Token);
        List<string> keys = await _store.ListKeysAsync();
        Assert.DoesNotContain(keys, key => key.Contains(_incremental.Id.ToString(), StringComparison.Ordinal));
        Assert.Contains(keys, key => key.StartsWith(StoreKeys.PacksOf(broken.VolumeId, broken.Id), StringComparison.Ordinal));
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(_full), "the full");

        await _repository.DeleteAsync(_full.Id, Repositories.Token);
        await _repository.DeleteAsync(broken.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Delete_UndecodableBackupNeedsItsPacks_KeepsThem()
    {
        var monday = new DateTimeOffset(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
        var options = new BackupOptions { VolumeId = "days", DataTimestamp = monday };
        byte[] content = Repositories.Noise(600_000, seed: 5);
        Backup first = await _repository.FullAsync(new MemoryVolume(content), options);
        content[0]++;
        await _repository.FullAsync(new MemoryVolume(content), options with { Incremental = true, DataTimestamp = monday.AddDays(1) });
        content[100_000]++;
        Backup last = await _repository.FullAsync(new MemoryVolume(content), options with { Incremental = true, DataTimestamp = monday.AddDays(1).AddHours(1) });

        // The one in between goes, so no record says any more that the last needs the first.
        PruneReport prune = await _repository.PruneAsync(new PruneOptions { VolumeId = "days", KeepDaily = 2 }, Repositories.Token);
        Assert.Single(prune.BackupsRemoved);
        Func<Task> mendAsync = await BreakAsync(last);
        await _repository.DeleteAsync(first.Id, Repositories.Token);
        await mendAsync();
        VolumeAssert.Same(content, await _repository.RestoreOverAsync(last), "the backup that was unreadable for a while");
    }

    [Fact]
    public async Task Prune_UndecodableBackup_KeepsItsVolumeAndPrunesOthers()
    {
        await BreakAsync(await _repository.FullAsync(new MemoryVolume(_first)));
        var other = new BackupOptions { VolumeId = "other" };
        Backup old = await _repository.FullAsync(new MemoryVolume(_first), other);
        Backup recent = await _repository.FullAsync(new MemoryVolume(_second), other);

        PruneReport report = await _repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);

        Assert.Equal([old.Id], report.BackupsRemoved);
        Assert.Contains(report.Kept, reason => reason.Contains("run repair, then delete that backup", StringComparison.Ordinal));
        VolumeAssert.Same(_first, await _repository.RestoreOverAsync(_full), "the full of the volume with the undecodable backup");
        VolumeAssert.Same(_second, await _repository.RestoreOverAsync(_incremental), "its incremental");
        VolumeAssert.Same(_second, await _repository.RestoreOverAsync(recent), "the kept backup of the other volume");
    }

    [Fact]
    public async Task Prune_AfterRepairAndDelete_RemovesWhatTheRulesDoNotKeep()
    {
        Backup broken = await _repository.FullAsync(new MemoryVolume(_first));
        await BreakAsync(broken);
        RepairReport repair = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([broken.Id], repair.BackupsMarked);
        await _repository.DeleteAsync(broken.Id, Repositories.Token);
        PruneReport report = await _repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        Assert.Equal([_full.Id], report.BackupsRemoved);
        VolumeAssert.Same(_second, await _repository.RestoreOverAsync(_incremental), "the kept incremental");
    }

    /// <summary>Leaves a manifest with an undefined hash that its record matches, as an earlier version stored it.</summary>
    /// <returns>What makes the backup intact again.</returns>
    private async Task<Func<Task>> BreakAsync(Backup backup)
    {
        byte[] manifest = await _store.GetAllAsync(backup.ManifestKey!, 1 << 20, Repositories.Token);
        byte[] intact = [.. manifest];
        manifest[ManifestFormat.Header.Hash] = 0;
        SHA256.HashData(manifest.AsSpan(0, manifest.Length - SHA256.HashSizeInBytes), manifest.AsSpan(manifest.Length - SHA256.HashSizeInBytes));
        await _store.PutAsync(backup.ManifestKey!, manifest, cancellationToken: Repositories.Token);
        Backup record = backup with { ManifestSha256 = Convert.ToHexStringLower(SHA256.HashData(manifest)) };
        await _store.PutAsync(StoreKeys.Record(backup.VolumeId, backup.Id), CatalogJson.Write(record), cancellationToken: Repositories.Token);
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.RestoreOverAsync(backup));
        return async () =>
        {
            await _store.PutAsync(backup.ManifestKey!, intact, cancellationToken: Repositories.Token);
            await _store.PutAsync(StoreKeys.Record(backup.VolumeId, backup.Id), CatalogJson.Write(backup), cancellationToken: Repositories.Token);
        };
    }
}
