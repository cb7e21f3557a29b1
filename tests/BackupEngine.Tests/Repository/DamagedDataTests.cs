using System.Text;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Reliability;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>What is left of a damaged backup can be restored and read, and a backup that is intact again is available again.</summary>
public sealed class DamagedDataTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int VolumeSize = 20_000_000;
    private const int Old = 0xA5;
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(VolumeSize);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private Backup _child = null!;

    public async ValueTask InitializeAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _content.AsSpan(3_000_000, 2_000_000).Clear();
        _full = await BackUpAsync(incremental: false);
        Repositories.Noise(300_000, 2).CopyTo(_content, 9_000_000);
        _child = await BackUpAsync(incremental: true);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>Random damage of packs, chunks and pages alike: every byte of the target is that of the volume, or it is in a lost range and is what was asked for.</summary>
    [LongRunning]
    [Theory]
    [InlineData(DamagedData.Skip, false)]
    [InlineData(DamagedData.Zero, false)]
    [InlineData(DamagedData.Skip, true)]
    [InlineData(DamagedData.Zero, true)]
    public async Task Restore_RandomDamage_RestoresTheRestAndListsWhatIsLost(DamagedData damaged, bool differential)
    {
        int seed = TestSeed.Next();
        long mostLost = 0;
        for (int round = 0; round < 12; round++)
        {
            var random = new Random(unchecked(seed + round));
            string what = $"{damaged}, seed {unchecked(seed + round)}";
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await DamagePacksAsync(store, random);
            BackupRepository repository = await Repositories.OpenAsync(store);
            if (random.Next(2) == 0)
                await repository.RepairAsync(cancellationToken: Repositories.Token);
            VolumeExtent? range = random.Next(3) == 0 ? new VolumeExtent(random.Next(VolumeSize / 2), random.Next(1, VolumeSize / 2)) : null;

            byte[] target = CreateTarget(random);
            byte[] before = [.. target];
            var volume = new MemoryVolume(target);
            RestoreResult result = await repository.RestoreAsync(
                _child.Id, volume, new RestoreOptions { Damaged = damaged, Differential = differential, Range = range }, cancellationToken: Repositories.Token);
            CheckBytes(volume.ToArray(), before, range ?? new VolumeExtent(0, VolumeSize), result.LostRanges, damaged, what);
            Assert.Equal((range?.Length ?? VolumeSize) - result.LostRanges.Sum(lost => lost.Length), result.BytesRestored);
            mostLost = Math.Max(mostLost, result.LostRanges.Sum(lost => lost.Length));

            // A new target is zero where nothing is written.
            if (range is null && !differential)
            {
                var fresh = new MemoryVolume(VolumeSize);
                result = await repository.RestoreAsync(_child.Id, fresh, new RestoreOptions { Damaged = damaged }, cancellationToken: Repositories.Token);
                CheckBytes(fresh.ToArray(), new byte[VolumeSize], new VolumeExtent(0, VolumeSize), result.LostRanges, damaged, $"{what}, new target");
            }
        }

        output.WriteLine($"seed {seed}: at most {mostLost} bytes lost");
        Assert.InRange(mostLost, 1, VolumeSize);
    }

    [Fact]
    public async Task OpenRead_RandomDamage_ReadsZerosAndTellsWhatIsLost()
    {
        int seed = TestSeed.Next();
        int lostRanges = 0;
        for (int round = 0; round < 8; round++)
        {
            var random = new Random(unchecked(seed + round));
            string what = $"seed {unchecked(seed + round)}";
            await using InMemoryObjectStore store = await _store.CloneAsync();
            await DamagePacksAsync(store, random);
            BackupRepository repository = await Repositories.OpenAsync(store);
            if (random.Next(2) == 0)
                await repository.RepairAsync(cancellationToken: Repositories.Token);
            List<LostRange> lost = [];
            await using Stream stream = await repository.OpenReadAsync(_child.Id, new ReadOptions { Damaged = DamagedData.Zero, OnLost = lost.Add }, Repositories.Token);
            byte[] read = new byte[VolumeSize];
            await stream.ReadExactlyAsync(read, Repositories.Token);
            CheckBytes(read, new byte[VolumeSize], new VolumeExtent(0, VolumeSize), lost, DamagedData.Zero, what);
            lostRanges += lost.Count;
        }

        Assert.True(lostRanges > 0, "nothing was lost");
        await Assert.ThrowsAsync<ArgumentException>(() => _repository.OpenReadAsync(_child.Id, new ReadOptions { Damaged = DamagedData.Skip }, Repositories.Token));
    }

    [Fact]
    public async Task Repair_PackIsBack_MakesBackupsAvailableAgain()
    {
        string key = StoreKeys.Pack(Repositories.VolumeId, _full.Id, 1);
        byte[] pack = await _store.GetAllAsync(key, 1 << 30, Repositories.Token);
        await _store.DeleteAsync(key, Repositories.Token);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), report.BackupsMarked.Order());
        Assert.Equal(BackupStateReason.Damaged, (await _repository.GetAsync(_child.Id, Repositories.Token)).StateReason);
        BackupStateException refused = await Assert.ThrowsAsync<BackupStateException>(() => _repository.RestoreOverAsync(_child));
        Assert.Contains("--damaged skip|zero", refused.Message, StringComparison.Ordinal);
        VerifyReport verified = await _repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), verified.Findings.Select(finding => finding.BackupId).Distinct().Order());
        Assert.Empty(verified.IntactAgain);

        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        verified = await _repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Empty(verified.Findings);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), verified.IntactAgain.Order());
        Assert.Equal(BackupStatus.Error, (await _repository.GetAsync(_child.Id, Repositories.Token)).Status);

        // Less than a look at every byte does not tell.
        Assert.Equal(2, (await _repository.VerifyAsync(cancellationToken: Repositories.Token)).Findings.Count);
        report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(new[] { _full.Id, _child.Id }.Order(), report.BackupsCleared.Order());
        Backup cleared = await _repository.GetAsync(_child.Id, Repositories.Token);
        Assert.Equal((BackupStatus.Available, null, null, null), (cleared.Status, cleared.FailReason, cleared.StateReason, cleared.DamagedPacks));
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(_child), "the backup that is intact again");
        Assert.Equal(65_536, (await _repository.BackupAsync(new MemoryVolume(Changed()), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true }, cancellationToken: Repositories.Token)).BytesChanged);
    }

    [Fact]
    public async Task Repair_LessDamageThanBefore_UpdatesTheRecord()
    {
        string[] keys = [StoreKeys.Pack(Repositories.VolumeId, _full.Id, 1), StoreKeys.Pack(Repositories.VolumeId, _full.Id, 2)];
        byte[] second = await _store.GetAllAsync(keys[1], 1 << 30, Repositories.Token);
        await _store.DeleteAsync(keys, Repositories.Token);
        await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(keys, (await _repository.GetAsync(_full.Id, Repositories.Token)).DamagedPacks!.Order());
        await _store.PutAsync(keys[1], second, cancellationToken: Repositories.Token);
        Assert.Empty((await _repository.RepairAsync(cancellationToken: Repositories.Token)).BackupsMarked);
        Assert.Equal([keys[0]], (await _repository.GetAsync(_full.Id, Repositories.Token)).DamagedPacks!);
    }

    [LongRunning]
    [Theory]
    [InlineData("volumes/", false)]
    [InlineData("volumes/", true)]
    [InlineData("volumes/volume-1/packs/", false)]
    [InlineData("volumes/volume-1/packs/", true)]
    public async Task Repair_AllPacksOfAVolumeMissing_RefusesAndChangesNothing(string prefix, bool hasDamagedRecord)
    {
        await _repository.BackupAsync(new MemoryVolume(Changed()), new BackupOptions { VolumeId = "other" }, cancellationToken: Repositories.Token);
        if (hasDamagedRecord)
            await _store.PutAsync(StoreKeys.Record(_full.VolumeId, _full.Id), "garbage"u8.ToArray(), cancellationToken: Repositories.Token);
        Dictionary<string, byte[]> missing = [];
        foreach (string key in (await _store.ListKeysAsync()).Where(key => key.StartsWith(prefix, StringComparison.Ordinal)))
            missing[key] = await _store.GetAllAsync(key, 1 << 30, Repositories.Token);
        await _store.DeleteAsync(missing.Keys, Repositories.Token);
        Dictionary<string, string> before = await ReadRecordsAsync();

        BackupStateException refused = await Assert.ThrowsAsync<BackupStateException>(() => _repository.RepairAsync(cancellationToken: Repositories.Token));
        Assert.Contains("volume volume-1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("completely mounted", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await ReadRecordsAsync());

        await using InMemoryObjectStore accepted = await _store.CloneAsync();
        RepairReport report = await (await Repositories.OpenAsync(accepted)).RepairAsync(new RepairOptions { AcceptMissingPacks = true }, cancellationToken: Repositories.Token);
        Assert.Contains(_child.Id, report.BackupsMarked);

        // Mounted again, it is as if nothing had been.
        foreach ((string key, byte[] content) in missing)
        {
            await _store.PutAsync(key, content, cancellationToken: Repositories.Token);
            await accepted.PutAsync(key, content, cancellationToken: Repositories.Token);
        }

        foreach (InMemoryObjectStore store in new[] { _store, accepted })
        {
            BackupRepository repository = await Repositories.OpenAsync(store);
            await repository.RepairAsync(cancellationToken: Repositories.Token);
            Assert.All(await repository.ListAsync(cancellationToken: Repositories.Token), backup => Assert.Equal(BackupStatus.Available, backup.Status));
            VolumeAssert.Same(_content, await repository.RestoreOverAsync(_child), "after the volume is back");
        }
    }

    [Fact]
    public async Task Export_BackupInError_IsImportedInError()
    {
        string key = StoreKeys.Pack(Repositories.VolumeId, _child.Id, 1);
        byte[] pack = await _store.GetAllAsync(key, 1 << 30, Repositories.Token);
        await _store.DeleteAsync(key, Repositories.Token);
        await _repository.RepairAsync(cancellationToken: Repositories.Token);
        ExportedRecord exported = await _repository.ExportRecordAsync(_child.Id, Repositories.Token);
        await _store.DeleteAsync(StoreKeys.Record(_child.VolumeId, _child.Id), Repositories.Token);

        Backup imported = await _repository.ImportRecordAsync(exported, Repositories.Token);
        Assert.Equal((BackupStatus.Error, BackupStateReason.Damaged), (imported.Status, imported.StateReason!.Value));
        Assert.Equal([key], imported.DamagedPacks!);
        await _store.PutAsync(key, pack, cancellationToken: Repositories.Token);
        Assert.Equal([_child.Id], (await _repository.RepairAsync(cancellationToken: Repositories.Token)).BackupsCleared);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(_child), "the backup that was exported in error");
    }

    [Fact]
    public async Task Restore_ManifestMissing_FailsWhateverIsAskedFor()
    {
        await _store.DeleteAsync(_child.ManifestKey!, Repositories.Token);
        await Assert.ThrowsAsync<CorruptionException>(() => _repository.RestoreAsync(_child.Id, new MemoryVolume(VolumeSize), new RestoreOptions { Damaged = DamagedData.Skip }, cancellationToken: Repositories.Token));
        await Assert.ThrowsAsync<ArgumentException>(() => _repository.RestoreAsync(_full.Id, new MemoryVolume(VolumeSize), new RestoreOptions { Damaged = (DamagedData)9 }, cancellationToken: Repositories.Token));
    }

    [Fact]
    public async Task Restore_DeletedMeanwhile_IsNotTakenForLostRanges()
    {
        await using InMemoryObjectStore store = await _store.CloneAsync();
        BackupRepository other = await Repositories.OpenAsync(store);
        await using var watched = new Limits.WatchedStore(store, async (key, token) =>
        {
            if (StoreKeys.TryParsePack(key, out _, out _, out _) && (await other.ListAsync(cancellationToken: Repositories.Token)).Count > 0)
            {
                await other.DeleteAsync(_child.Id, Repositories.Token);
                await other.DeleteAsync(_full.Id, Repositories.Token);
            }
        });
        BackupRepository repository = await Repositories.OpenAsync(watched);
        await Assert.ThrowsAsync<BackupStateException>(() => repository.RestoreAsync(_child.Id, new MemoryVolume(VolumeSize), new RestoreOptions { Damaged = DamagedData.Skip, Workers = 1 }, cancellationToken: Repositories.Token));
    }

    private static async Task DamagePacksAsync(InMemoryObjectStore store, Random random)
    {
        string[] packs = [.. (await store.ListKeysAsync()).Where(key => StoreKeys.TryParsePack(key, out _, out _, out _))];
        for (int damages = random.Next(1, 4); damages > 0; damages--)
        {
            string key = packs[random.Next(packs.Length)];
            if (await store.HeadAsync(key, Repositories.Token) is null)
                continue;
            byte[] pack = await store.GetAllAsync(key, 1 << 30, Repositories.Token);
            switch (random.Next(4))
            {
                case 0:
                    await store.DeleteAsync(key, Repositories.Token);
                    break;
                case 1:
                    await store.PutAsync(key, pack.AsMemory(0, random.Next(64, pack.Length)), cancellationToken: Repositories.Token);
                    break;
                default:
                    for (int flips = random.Next(1, 20); flips > 0; flips--)
                        pack[random.Next(pack.Length)] ^= (byte)(1 << random.Next(8));
                    await store.PutAsync(key, pack, cancellationToken: Repositories.Token);
                    break;
            }
        }
    }

    /// <summary>A target that holds the volume in some places and something else in others.</summary>
    private byte[] CreateTarget(Random random)
    {
        byte[] target = [.. _content];
        for (int stretch = 0; stretch < 20; stretch++)
        {
            int offset = random.Next(VolumeSize);
            target.AsSpan(offset, random.Next(VolumeSize - offset)).Fill(Old);
            offset = random.Next(VolumeSize - 500_000);
            _content.AsSpan(offset, 500_000).CopyTo(target.AsSpan(offset));
        }

        return target;
    }

    private void CheckBytes(byte[] target, byte[] before, VolumeExtent range, IReadOnlyList<LostRange> lost, DamagedData damaged, string what)
    {
        bool[] isLost = new bool[VolumeSize];
        foreach (LostRange one in lost)
        {
            Assert.True(one.Offset >= range.Offset && one.Offset + one.Length <= range.End && one.Length > 0, $"{what}: {one} is outside of {range}");
            Assert.NotEmpty(one.Problem);
            isLost.AsSpan((int)one.Offset, (int)one.Length).Fill(true);
        }

        for (int at = 0; at < VolumeSize; at++)
        {
            bool isIn = at >= range.Offset && at < range.End;
            byte expected = !isIn ? before[at] : !isLost[at] ? _content[at] : damaged == DamagedData.Zero ? (byte)0 : before[at];
            if (target[at] != expected)
                Assert.Fail($"{what}: byte {at} is {target[at]} instead of {expected} ({(isIn ? isLost[at] ? "lost" : "restored" : "outside")})");
        }
    }

    private byte[] Changed()
    {
        byte[] content = [.. _content];
        content[0]++;
        return content;
    }

    private async Task<Dictionary<string, string>> ReadRecordsAsync()
    {
        Dictionary<string, string> records = [];
        foreach (string key in (await _store.ListKeysAsync()).Where(key => key.StartsWith(StoreKeys.Records, StringComparison.Ordinal)))
            records[key] = Encoding.UTF8.GetString(await _store.GetAllAsync(key, 1 << 20, Repositories.Token));
        return records;
    }

    private Task<Backup> BackUpAsync(bool incremental) => _repository.BackupAsync(
        new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = incremental, MaxMemoryBytes = 16 << 20, Workers = 2 }, cancellationToken: Repositories.Token);
}
