using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using Xunit;

namespace BackupEngine.Tests.Repository;

public sealed class RepackTests : IAsyncDisposable
{
    private const int VolumeSize = 5_000_000;
    private readonly InMemoryObjectStore _store = new();
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private byte[] _content = Repositories.Noise(VolumeSize);

    private static PruneOptions Repack => new() { RepackBelowPercent = 50 };

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_pack_that_is_mostly_dead_goes_and_what_lived_in_it_is_there_once_for_all_backups()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await MakeMostlyDeadAsync(repository);
        Backup[] kept = [await ChangeAsync(repository, 4_600_000, 10), await ChangeAsync(repository, 4_700_000, 10)];
        await repository.PruneAsync(new PruneOptions { KeepLast = 3 }, Repositories.Token);
        long before = await CountDataBytesAsync();
        PruneReport looked = await repository.PruneAsync(Repack with { DryRun = true }, Repositories.Token);
        Assert.Equal(before, await CountDataBytesAsync());
        PruneReport report = await repository.PruneAsync(Repack, Repositories.Token);
        Assert.Empty(report.Kept);
        Assert.Equal((looked.PacksRepacked, report.PacksRepacked > 0), (report.PacksRepacked, true));
        long after = await CountDataBytesAsync();
        Assert.Equal(before - after, report.BytesRemoved - report.BytesRepacked);
        Assert.InRange(after, VolumeSize, VolumeSize + 400_000);
        Assert.InRange(looked.BytesRemoved - looked.BytesRepacked, (before - after) * 9 / 10, (before - after) * 11 / 10);
        Assert.DoesNotContain(await _store.ListKeysAsync(), key => key.Contains(full.Id.ToString(), StringComparison.Ordinal));
        await CheckAsync(repository, "after a repack");

        // Again there is nothing to do; and the chain goes on.
        Assert.Equal(0, (await repository.PruneAsync(Repack, Repositories.Token)).PacksRepacked);
        Assert.Equal(after, await CountDataBytesAsync());
        Backup next = await ChangeAsync(repository, 100_000, 70_000);
        Assert.InRange(next.BytesStored, 70_000, 300_000);
        await repository.DeleteAsync(next.Id, Repositories.Token);
        await repository.DeleteAsync(kept[1].Id, Repositories.Token);
        await CheckAsync(repository, "after deletes");
        Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
    }

    [LongRunning]
    [Fact]
    public async Task Random_chains_and_trees_that_are_repacked_restore_and_shrink_as_reported()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        BackupRepository repository = await Repositories.OpenAsync(_store);
        long repacked = 0;
        for (int round = 0; round < 20; round++)
        {
            IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
            int length = random.Next(10) == 0 ? random.Next(1, VolumeSize) : random.Next(1, 600_000);
            Guid? parent = backups.Count == 0 || random.Next(8) == 0 ? null : backups[random.Next(Math.Min(3, backups.Count))].Id;
            await ChangeAsync(repository, random.Next(VolumeSize - length), length, parent, random.Next(3) == 0);
            if (random.Next(2) == 0)
                await repository.PruneAsync(new PruneOptions { KeepLast = random.Next(2, 6) }, Repositories.Token);
            long before = await CountDataBytesAsync();
            PruneReport report = await repository.PruneAsync(new PruneOptions { RepackBelowPercent = random.Next(20, 100) }, Repositories.Token);
            Assert.Empty(report.Kept);
            repacked += report.PacksRepacked;
            Assert.Equal(before - await CountDataBytesAsync(), report.BytesRemoved - report.BytesRepacked);
            await CheckAsync(repository, $"seed {seed}, round {round}");
            Assert.Equal(await _store.ListReferencedAsync(), await _store.ListKeysAsync());
        }

        Assert.True(repacked > 0, $"seed {seed}: nothing was repacked");
    }

    [LongRunning]
    [Fact]
    public async Task A_repack_that_dies_before_any_call_loses_nothing_and_the_next_finishes()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await MakeMostlyDeadAsync(repository);
        for (int call = 1, calls = int.MaxValue; call <= calls; call++)
        {
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await using var dying = new FaultInjectingObjectStore(store, 1) { FailingCall = call, FailsFromThenOn = true, Fault = StoreFault.ErrorBefore };
            try
            {
                await (await Repositories.OpenAsync(dying)).PruneAsync(Repack with { KeepLast = 2 }, Repositories.Token);
                calls = 0;
            }
            catch (ObjectStoreException)
            {
                // Dead.
            }

            BackupRepository after = await Repositories.OpenAsync(store);
            await CheckAsync(after, $"dead before call {call}");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"dead before call {call}");
            await after.PruneAsync(Repack with { KeepLast = 2 }, Repositories.Token);
            await CheckAsync(after, $"dead before call {call}, and finished");
            await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, $"dead before call {call}, and finished");
        }
    }

    [LongRunning]
    [Theory]
    [InlineData("restore")]
    [InlineData("read")]
    [InlineData("verify")]
    [InlineData("incremental")]
    [InlineData("delete")]
    [InlineData("prune")]
    public async Task A_repack_in_between_any_two_calls_of_something_else_does_no_harm(string operation)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await MakeMostlyDeadAsync(repository);
        Backup last = await ChangeAsync(repository, 10, 10);
        await repository.PruneAsync(new PruneOptions { KeepLast = 3 }, Repositories.Token);
        int repacks = 0;
        for (int call = 2, calls = int.MaxValue; call <= calls; call++)
        {
            int at = call;
            await using InMemoryObjectStore store = await _store.CloneAsync();
            BackupRepository repacking = await Repositories.OpenAsync(store);
            await using var interrupted = new FaultInjectingObjectStore(store, 1)
            {
                BeforeCall = async number =>
                {
                    if (number == at && (await repacking.PruneAsync(Repack, Repositories.Token)).PacksRepacked > 0)
                        repacks++;
                },
            };
            BackupRepository other = await Repositories.OpenAsync(interrupted);
            try
            {
                await RunAsync(operation, other, last);
            }
            catch (BackupStateException) when (operation == "delete")
            {
                // Repacked at the very moment: it says so, and nothing has happened.
            }

            calls = interrupted.Calls;
            await CheckAsync(repacking, $"{operation}, repack before call {call}");
            await repacking.PruneAsync(Repack, Repositories.Token);
            await CheckAsync(repacking, $"{operation}, repack before call {call}, and another");

            // What a repack stored for a backup that was removed meanwhile has no evidence for its removal: it is reported.
            await StoreState.AssertPruneReportsOrphansAsync(store, $"{operation}, repack before call {call}");
        }

        Assert.True(repacks > 0);
    }

    [Fact]
    public async Task A_volume_with_a_writer_or_a_damaged_backup_is_left_as_it_is()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await MakeMostlyDeadAsync(repository);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        var volume = new InterruptedVolume(_content, async () =>
        {
            PruneReport report = await repository.PruneAsync(Repack, Repositories.Token);
            Assert.Equal(0, report.PacksRepacked);
            Assert.Contains(report.Kept, kept => kept.Contains(Repositories.VolumeId, StringComparison.Ordinal));
        });
        Backup backup = await repository.BackupAsync(volume, new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 }, cancellationToken: Repositories.Token);
        _contents[backup.Id] = _content;
        await CheckAsync(repository, "beside a backup");
    }

    [Fact]
    public async Task Packs_of_many_small_frames_that_are_all_alive_are_left_alone()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = new byte[VolumeSize];
        for (int at = 0; at < content.Length; at += 4096)
            content[at] = (byte)(at / 4096 + 1);
        await repository.FullAsync(new MemoryVolume(content), new BackupOptions { VolumeId = Repositories.VolumeId, ChunkSize = 4096, Workers = 1 });
        PruneReport report = await repository.PruneAsync(new PruneOptions { RepackBelowPercent = 99.9, DryRun = true }, Repositories.Token);
        Assert.Equal((0L, 0L), (report.PacksRepacked, report.BytesRepacked));
    }

    [Fact]
    public async Task What_cannot_be_read_stays_where_it_is()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await MakeMostlyDeadAsync(repository);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        string key = StoreKeys.Pack(Repositories.VolumeId, full.Id, 1);
        byte[] pack = await _store.GetAllAsync(key, 1 << 30, Repositories.Token);
        for (int at = 100; at < pack.Length - 100; at += 10_000)
            pack[at] ^= 4;
        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        PruneReport report = await repository.PruneAsync(Repack, Repositories.Token);
        Assert.Contains(report.Kept, kept => kept.Contains(key, StringComparison.Ordinal));
        Assert.Contains(key, await _store.ListKeysAsync());
        Assert.Equal(pack, await _store.GetAllAsync(key, 1 << 30, Repositories.Token));
    }

    [Fact]
    public async Task The_record_of_a_repacked_backup_can_be_made_anew()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await MakeMostlyDeadAsync(repository);
        await repository.PruneAsync(Repack with { KeepLast = 2 }, Repositories.Token);
        Backup[] backups = [.. await repository.ListAsync(cancellationToken: Repositories.Token)];
        Assert.All(backups, backup => Assert.NotEqual(StoreKeys.Manifest(backup.VolumeId, backup.Id), backup.ManifestKey));
        foreach (Backup backup in backups)
            await _store.PutAsync(StoreKeys.Record(backup.VolumeId, backup.Id), "{}"u8.ToArray(), cancellationToken: Repositories.Token);
        RepairReport report = await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(backups.Select(backup => backup.Id).Order(), report.RecordsRebuilt.Order());
        await CheckAsync(repository, "with records made anew");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(double.NaN)]
    public async Task Thresholds_that_make_no_sense_are_refused(double percent)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        await Assert.ThrowsAsync<ArgumentException>(() => repository.PruneAsync(new PruneOptions { RepackBelowPercent = percent }, Repositories.Token));
    }

    private async Task RunAsync(string operation, BackupRepository repository, Backup last)
    {
        switch (operation)
        {
            case "restore":
                VolumeAssert.Same(_contents[last.Id], await repository.RestoreOverAsync(last), "restored while it was repacked");
                break;
            case "read":
                await using (Stream stream = await repository.OpenReadAsync(last.Id, cancellationToken: Repositories.Token))
                {
                    using var read = new MemoryStream();
                    await stream.CopyToAsync(read, Repositories.Token);
                    VolumeAssert.Same(_contents[last.Id], read.ToArray(), "read while it was repacked");
                }

                break;
            case "verify":
                Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
                break;
            case "incremental":
                Backup next = await repository.BackupAsync(
                    new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Workers = 1 }, cancellationToken: Repositories.Token);
                _contents[next.Id] = _content;
                break;
            case "delete":
                await repository.DeleteAsync(last.Id, Repositories.Token);
                break;
            default:
                await repository.PruneAsync(new PruneOptions { KeepLast = 2 }, Repositories.Token);
                break;
        }
    }

    /// <summary>A full of which most is overwritten by an incremental; the full itself is still there.</summary>
    private async Task<Backup> MakeMostlyDeadAsync(BackupRepository repository)
    {
        Backup full = await ChangeAsync(repository, 0, 10);
        await ChangeAsync(repository, 0, 4_500_000);
        await ChangeAsync(repository, 4_500_000, 10);
        return full;
    }

    private async Task<Backup> ChangeAsync(BackupRepository repository, int offset, int length, Guid? parent = null, bool zeros = false)
    {
        if (parent is { } id)
            _content = _contents[id];
        _content = [.. _content];
        (zeros ? new byte[length] : Repositories.Noise(length, _contents.Count + 100)).CopyTo(_content, offset);
        bool isFirst = _contents.Count == 0;
        Backup backup = await repository.BackupAsync(
            new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = !isFirst, ParentId = parent, Workers = 1 }, cancellationToken: Repositories.Token);
        _contents[backup.Id] = _content;
        return backup;
    }

    private async Task CheckAsync(BackupRepository repository, string what)
    {
        foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
        {
            // A removal that was cut off is still to be finished.
            if (backup.Status == BackupStatus.Deleting)
                continue;
            Assert.Equal(BackupStatus.Available, backup.Status);
            VolumeAssert.Same(_contents[backup.Id], await repository.RestoreOverAsync(backup), $"{what}, backup {backup.Id}");
        }

        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token)).Findings);
    }

    private async Task<long> CountDataBytesAsync()
    {
        long bytes = 0;
        await foreach (ObjectInfo info in _store.ListAsync(StoreKeys.Volumes, Repositories.Token))
            bytes += info.SizeBytes;
        return bytes;
    }
}
