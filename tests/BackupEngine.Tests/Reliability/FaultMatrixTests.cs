using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// Every operation, with every kind of fault at every call that it makes to the store. Afterwards what was committed restores, the same operation
/// succeeds, and prune leaves exactly what is needed.
/// </summary>
public sealed class FaultMatrixTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int VolumeSize = 700_000;
    private readonly InMemoryObjectStore _base = new();
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private byte[] _latest = [];
    private Backup _full = null!;
    private Backup _middle = null!;
    private Backup _last = null!;
    private ExportedRecord _lost = null!;
    private Guid _lostId;
    private string _lostManifest = "";

    public async ValueTask InitializeAsync()
    {
        BackupRepository repository = await Repositories.OpenAsync(_base);
        _full = await AddAsync(repository, seed: 1, incremental: false);
        _middle = await AddAsync(repository, seed: 2, incremental: true);
        _last = await AddAsync(repository, seed: 3, incremental: true);

        // A backup whose record got lost, and one that died as it began.
        Backup lost = await AddAsync(repository, seed: 4, incremental: true);
        _lost = await repository.ExportRecordAsync(lost.Id, Repositories.Token);
        _lostId = lost.Id;
        _lostManifest = lost.ManifestKey!;
        await _base.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);
        var dead = Guid.NewGuid();
        LocalWriters.Current.Begin(dead).Dispose();
        await new IntentStore(_base).PutAsync(
            new Intent { Backup = _full with { Id = dead, Status = BackupStatus.Creating, ManifestKey = StoreKeys.Manifest(_full.VolumeId, dead), ManifestSha256 = null }, Writer = ProcessIdentity.Current }, Repositories.Token);
        await _base.PutAsync(StoreKeys.Pack(_full.VolumeId, dead, 1), Repositories.Noise(5000), cancellationToken: Repositories.Token);
    }

    public ValueTask DisposeAsync() => _base.DisposeAsync();

    [LongRunning]
    [Theory]
    [InlineData("full")]
    [InlineData("incremental")]
    [InlineData("restore")]
    [InlineData("delete")]
    [InlineData("import")]
    [InlineData("prune")]
    [InlineData("retention")]
    [InlineData("repack")]
    [InlineData("verify")]
    [InlineData("repair")]
    public async Task Whatever_call_fails_in_whatever_way_nothing_is_lost_and_a_retry_succeeds(string operation)
    {
        int seed = TestSeed.Next();
        int calls = await CountCallsAsync(operation);
        int faults = 0;
        foreach (StoreFault fault in Enum.GetValues<StoreFault>())
        {
            // A fault may make more calls (cleaning up) than there would be without it; a few beyond the last are tried.
            for (int call = 1; call <= calls + 2; call++)
                faults += await RunAsync(operation, call, fault, seed) ? 1 : 0;
        }

        output.WriteLine($"{operation}: {calls} calls, {faults} faults");
        Assert.True(faults >= calls, $"{operation}: only {faults} faults");
    }

    /// <summary>As a server may that has the request, and is slow: what was asked for is done when all is over, and the retry and a prune are done.</summary>
    [LongRunning]
    [Theory]
    [InlineData("full", 1)]
    [InlineData("incremental", 1)]
    [InlineData("delete", 1)]
    [InlineData("import", 1)]
    [InlineData("prune", 2)]
    [InlineData("retention", 2)]
    [InlineData("repack", 4)]
    [InlineData("repair", 2)]
    public async Task A_call_that_takes_effect_after_a_retry_and_a_prune_costs_nothing(string operation, int everyNthCall)
    {
        int seed = TestSeed.Next();
        int calls = await CountCallsAsync(operation);
        int faults = 0;
        for (int call = 1 + (seed % everyNthCall); call <= calls + 2; call += everyNthCall)
            faults += await RunAsync(operation, call, StoreFault.Timeout, seed, isLate: true) ? 1 : 0;
        output.WriteLine($"{operation}: {calls} calls, {faults} late");
        Assert.True(faults >= calls / everyNthCall / 2, $"{operation}: only {faults} faults");
    }

    /// <summary>A commit that comes when its data is gone: nothing may be removed for it, and it is found, marked and deleted like any that lost its data.</summary>
    private static async Task RemoveLateCommitAsync(InMemoryObjectStore store, string what)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        VerifyReport report = await repository.VerifyAsync(cancellationToken: Repositories.Token);
        if (report.Findings.Count == 0)
            return;
        VerifyFinding finding = Assert.Single(report.Findings);
        Assert.Contains("the manifest is missing", finding.Problem, StringComparison.Ordinal);
        List<string> before = await store.ListKeysAsync();
        PruneReport prune = await repository.PruneAsync(new PruneOptions { KeepLast = 3 }, Repositories.Token);
        Assert.Contains(prune.Kept, kept => kept.Contains(finding.BackupId.ToString()!, StringComparison.Ordinal));
        Assert.True(before.SequenceEqual(await store.ListKeysAsync()), $"{what}: a prune removed something for a backup without its manifest");
        RepairReport repair = await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal([finding.BackupId], repair.BackupsMarked);
        await repository.DeleteAsync(finding.BackupId, Repositories.Token);
    }

    private async Task<int> CountCallsAsync(string operation)
    {
        await using InMemoryObjectStore store = await _base.CloneAsync();
        BackupRepository repository = await Repositories.OpenAsync(store);
        await RunOperationAsync(operation, repository);
        RequestCounts counts = repository.Requests;
        return (int)(counts.Put + counts.Get + counts.Head + counts.List + counts.Delete);
    }

    private async Task<bool> RunAsync(string operation, int call, StoreFault fault, int seed, bool isLate = false)
    {
        string what = $"{operation}, {fault} at call {call}, seed {seed}";
        await using InMemoryObjectStore store = await _base.CloneAsync();
        await using var faulty = new FaultInjectingObjectStore(store, seed + call) { FailingCall = call, Fault = fault };
        try
        {
            BackupRepository repository = await Repositories.OpenAsync(faulty);
            await RunOperationAsync(operation, repository);
        }
        catch (Exception e) when (e is BackupEngineException and not BackupNotFoundException || (e is BackupNotFoundException && fault is StoreFault.FlippedBit))
        {
            Assert.True(faulty.HasFailed, $"{what}: failed without a fault: {e}");
        }

        if (!faulty.HasFailed)
            return false;
        if (!isLate)
            await faulty.FinishLateCallsAsync();
        await CheckCommittedAsync(operation, store, what);
        try
        {
            await RunOperationAsync(operation, await Repositories.OpenAsync(store));
        }
        catch (Exception e) when (IsDoneAlready(operation, e))
        {
            // The first attempt had done all that matters.
        }
        catch (BackupEngineException e)
        {
            Assert.Fail($"{what}: the retry failed: {e}");
        }

        await CheckCommittedAsync(operation, store, $"{what}, after the retry", isDone: true);
        await StoreState.AssertPruneLeavesOnlyWhatIsNeededAsync(store, what, _lostManifest);
        await CheckCommittedAsync(operation, store, $"{what}, after prune", isDone: true);
        if (isLate)
        {
            await faulty.FinishLateCallsAsync();
            if (operation is "full" or "incremental")
                await RemoveLateCommitAsync(store, what);
            await CheckCommittedAsync(operation, store, $"{what}, after the late call", isDone: true);
            await StoreState.AssertPruneReportsOrphansAsync(store, $"{what}, after the late call", _lostManifest);
            await CheckCommittedAsync(operation, store, $"{what}, after the late call and another prune", isDone: true);
        }

        return true;
    }

    private async Task RunOperationAsync(string operation, BackupRepository repository)
    {
        switch (operation)
        {
            case "full":
                await repository.FullAsync(new MemoryVolume(_latest));
                break;
            case "incremental":
                await repository.BackupAsync(new MemoryVolume(_latest), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = _last.Id }, cancellationToken: Repositories.Token);
                break;
            case "restore":
                VolumeAssert.Same(_contents[_last.Id], await repository.RestoreOverAsync(_last), "a restore that did not fail");
                break;
            case "delete":
                await repository.DeleteAsync(_last.Id, Repositories.Token);
                break;
            case "import":
                await repository.ImportRecordAsync(_lost, Repositories.Token);
                break;
            case "prune":
                await repository.PruneAsync(cancellationToken: Repositories.Token);
                break;
            case "retention":
                await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
                break;
            case "repack":
                await repository.PruneAsync(new PruneOptions { KeepLast = 2, RepackBelowPercent = 99 }, Repositories.Token);
                break;
            case "repair":
                await repository.RepairAsync(cancellationToken: Repositories.Token);
                break;
            default:
                await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
                break;
        }
    }

    private static bool IsDoneAlready(string operation, Exception e) => operation switch
    {
        "delete" => e is BackupNotFoundException,
        "import" => e is BackupStateException,
        _ => false,
    };

    /// <summary>Every record that says so restores, and what was not to be removed is still there.</summary>
    private async Task CheckCommittedAsync(string operation, IObjectStore store, string what, bool isDone = false)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Repositories.Token);
        foreach (Backup backup in backups.Where(backup => backup.Status == BackupStatus.Available))
            VolumeAssert.Same(_contents.GetValueOrDefault(backup.Id, _latest), await repository.RestoreOverAsync(backup), $"{what}, backup {backup.Id}");

        Guid[] expected = operation switch { "delete" => [_full.Id, _middle.Id], "retention" => [_last.Id], "repack" => [_middle.Id, _last.Id], "import" when isDone => [_full.Id, _middle.Id, _last.Id, _lostId], _ => [_full.Id, _middle.Id, _last.Id] };
        foreach (Guid id in expected)
            Assert.True(backups.Any(backup => backup.Id == id && backup.Status == BackupStatus.Available), $"{what}: backup {id} is not there any more");
        Assert.DoesNotContain(backups, backup => backup.Status == BackupStatus.Error);
    }

    private async Task<Backup> AddAsync(BackupRepository repository, int seed, bool incremental)
    {
        _latest = incremental ? [.. _latest] : Repositories.Noise(VolumeSize, seed);
        Repositories.Noise(100_000, seed).CopyTo(_latest, seed * 120_000);
        Backup backup = incremental ? await repository.IncrementalAsync(new MemoryVolume(_latest)) : await repository.FullAsync(new MemoryVolume(_latest));
        _contents[backup.Id] = [.. _latest];
        return backup;
    }
}
