using System.Globalization;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Reliability;

/// <summary>
/// Writers, deleters, pruners and importers, some of them dying, run against one store in orders that a seed decides, call by call: the real code, not a model
/// of it. They run in this process, in others, or in copies of one process as cloned machines have them; and the store's clock jumps, so that whoever is active may be considered
/// stale at any moment, as when its refreshes are late. Afterwards everything that is available must restore. With either half of the intent protocol taken from somebody's sight, the same search must find a loss.
/// </summary>
public sealed class IntentProtocolTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string SchedulesVariable = "BACKUPENGINE_TEST_SCHEDULES";
    private static readonly DateTimeOffset _today = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan[] _jumps = [TimeSpan.FromHours(2), TimeSpan.FromHours(2), TimeSpan.FromHours(-2), TimeSpan.FromDays(9 * 365), TimeSpan.FromDays(-9 * 365)];
    private static readonly AsyncLocal<LocalWriters> _writers = new();
    private readonly InMemoryObjectStore _base = new(new ManualClock(_today));
    private readonly Dictionary<Guid, byte[]> _contents = [];
    private Backup _full = null!;
    private Backup _last = null!;
    private ExportedRecord _lost = null!;
    private Guid _lostId;
    private string _lostManifest = "";

    private enum Blindness
    {
        None,
        WriterSeesNoDeletion,
        RemoverSeesNoIntent,
    }

    private static int Schedules => Environment.GetEnvironmentVariable(SchedulesVariable) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : 300;

    public async ValueTask InitializeAsync()
    {
        BackupRepository repository = await Repositories.OpenAsync(_base);
        byte[] content = Repositories.Noise(200_000);

        // The first of the chain is gone: packs that it wrote are partly dead, so that repackers have something to do.
        _full = await AddAsync(0);
        _full = await AddAsync(1);
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        _last = await AddAsync(2);
        Backup lost = await AddAsync(3);
        _lost = await repository.ExportRecordAsync(lost.Id, Repositories.Token);
        _lostManifest = lost.ManifestKey!;
        _lostId = lost.Id;
        await _base.DeleteAsync(StoreKeys.Record(lost.VolumeId, lost.Id), Repositories.Token);

        async Task<Backup> AddAsync(int step)
        {
            content = [.. content];
            content[step * 60_000]++;
            Backup backup = step == 0 ? await repository.FullAsync(new MemoryVolume(content)) : await repository.IncrementalAsync(new MemoryVolume(content));
            _contents[backup.Id] = content;
            return backup;
        }
    }

    public ValueTask DisposeAsync() => _base.DisposeAsync();

    [LongRunning]
    [Fact]
    public async Task No_schedule_of_writers_deleters_pruners_importers_and_crashes_loses_anything()
    {
        int seed = TestSeed.Next();
        var outcomes = new Dictionary<string, int>();
        for (int schedule = 0; schedule < Schedules; schedule++)
        {
            string? loss = await RunAsync(unchecked(seed + schedule), Blindness.None, outcomes);
            Assert.True(loss is null, $"seed {unchecked(seed + schedule)}: {loss}");
        }

        Assert.True(outcomes.GetValueOrDefault("packs repacked") > 0, "nothing was repacked");
        output.WriteLine($"seed {seed}: {string.Join(", ", outcomes.OrderBy(outcome => outcome.Key).Select(outcome => $"{outcome.Key}: {outcome.Value}"))}");
    }

    [LongRunning]
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task With_either_half_of_the_protocol_gone_something_is_lost(int half)
    {
        Dictionary<string, int> outcomes = [];
        for (int seed = 0; seed < 3_000; seed++)
        {
            if (await RunAsync(seed, (Blindness)half, outcomes) is { } loss)
            {
                output.WriteLine($"seed {seed}: {loss}");
                return;
            }
        }

        Assert.Fail($"Nothing was lost without {(Blindness)half}: either the search is too weak, or that half is not needed.\n{string.Join('\n', outcomes)}");
    }

    private async Task<string?> RunAsync(int seed, Blindness blindness, Dictionary<string, int> outcomes)
    {
        var random = new Random(seed);
        var clock = new ManualClock(_today);
        await using InMemoryObjectStore store = await _base.CloneAsync(clock);

        // A manifest without a record keeps all that it refers to, and so hides losses: only every second schedule has it, and the import of its record.
        bool hasOrphan = seed % 2 == 0;
        if (!hasOrphan)
            await store.DeleteAsync([.. (await store.ListKeysAsync()).Where(key => key.Contains(_lostId.ToString(), StringComparison.Ordinal))], Repositories.Token);
        bool isJumping = blindness == Blindness.None && random.Next(2) == 0;
        var jumps = new Random(seed);
        var scheduler = new CallScheduler(store, seed) { BeforeCall = () => clock.Now += isJumping && jumps.Next(25) == 0 ? _jumps[jumps.Next(_jumps.Length)] : TimeSpan.FromSeconds(1) };
        ProcessIdentity cloned = ProcessIdentity.Current with { Token = Guid.NewGuid().ToString("N") };
        byte[] written = [.. _contents[_last.Id]];
        written[^1]++;
        List<(string Name, Func<IObjectStore, Task> Work)> actors =
        [
            ("writer", own => WriteAsync(own, _last.Id)),
            ("deleter", async own => await (await OpenAsync(own)).DeleteAsync(_last.Id, Repositories.Token)),
            ("second writer", own => WriteAsync(own, _full.Id)),
            ("second deleter", async own => await (await OpenAsync(own)).DeleteAsync(_last.Id, Repositories.Token)),
            ("pruner", async own => await (await OpenAsync(own)).PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token)),
            ("sweeper", async own => await (await OpenAsync(own)).PruneAsync(cancellationToken: Repositories.Token)),
            ("repacker", own => RepackAsync(own, new PruneOptions { RepackBelowPercent = 99 })),
            ("second repacker", own => RepackAsync(own, new PruneOptions { KeepLast = 1, RepackBelowPercent = 99 })),
        ];
        if (hasOrphan)
            actors.Add(("importer", async own => await (await OpenAsync(own)).ImportRecordAsync(_lost, Repositories.Token)));
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(actors));
        List<(string Name, Task<Exception?> Task)> running = [];
        foreach ((string name, Func<IObjectStore, Task> work) in actors.Take(random.Next(2, 4)))
        {
            // In this process, in another one, or in one of the copies of a process.
            LocalWriters writers = !isJumping || jumps.Next(3) == 0 ? LocalWriters.Current
                : new LocalWriters(jumps.Next(2) == 0 ? cloned : new ProcessIdentity("elsewhere", "another system", running.Count, "1"));
            running.Add((name, scheduler.Start(name, random.Next(4) == 0 ? random.Next(2, 30) : 0, View(name, blindness), own =>
            {
                _writers.Value = writers;
                return work(own);
            })));
        }

        foreach ((string name, Task<Exception?> task) in running)
        {
            Exception? thrown = await task;
            string outcome = $"{name} {thrown?.GetType().Name ?? "done"}";
            lock (outcomes)
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        // By now everything that is left is stale.
        clock.Now = _today.AddYears(900);
        string? loss = await FindLossAsync(store, written);
        return loss is null ? null : $"{loss}\n{string.Join('\n', scheduler.Trace)}";

        Task<BackupRepository> OpenAsync(IObjectStore own) => BackupRepository.OpenAsync(own, new RepositoryOptions { Writers = _writers.Value! }, Repositories.Token);

        async Task RepackAsync(IObjectStore own, PruneOptions options)
        {
            PruneReport report = await (await OpenAsync(own)).PruneAsync(options, Repositories.Token);
            lock (outcomes)
                outcomes["packs repacked"] = outcomes.GetValueOrDefault("packs repacked") + (int)report.PacksRepacked;
        }

        async Task WriteAsync(IObjectStore own, Guid parentId) => await (await OpenAsync(own)).BackupAsync(
            new MemoryVolume(written), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = parentId, Workers = 1 }, cancellationToken: Repositories.Token);
    }

    private static Func<IObjectStore, IObjectStore>? View(string name, Blindness blindness)
    {
        bool isWriter = name is "writer" or "second writer" or "importer";
        return (blindness, isWriter) switch
        {
            // Neither marks of deleters, nor that a record has changed since it was first read.
            (Blindness.WriterSeesNoDeletion, true) => own => new BlindObjectStore(
                own, key => key.Contains(".deleting-", StringComparison.Ordinal), key => key.StartsWith(StoreKeys.Records, StringComparison.Ordinal)),
            (Blindness.RemoverSeesNoIntent, false) => own => new BlindObjectStore(
                own, key => key.StartsWith(StoreKeys.Intents, StringComparison.Ordinal) && !key.Contains(".deleting-", StringComparison.Ordinal), _ => false),
            _ => null,
        };
    }

    private async Task<string?> FindLossAsync(InMemoryObjectStore store, byte[] written)
    {
        BackupRepository repository = await Repositories.OpenAsync(store);
        IReadOnlyList<UnreferencedData> reported = [];
        foreach (string when in new[] { "", " after prune" })
        {
            foreach (Backup backup in await repository.ListAsync(cancellationToken: Repositories.Token))
            {
                if (backup.Status != BackupStatus.Available)
                    continue;
                try
                {
                    byte[] expected = _contents.GetValueOrDefault(backup.Id, written);
                    byte[] restored = await repository.RestoreOverAsync(backup);
                    if (!expected.SequenceEqual(restored))
                        return $"backup {backup.Id} restores wrong bytes{when}";
                }
                catch (CorruptionException e)
                {
                    return $"backup {backup.Id} is lost{when}: {e.Message}";
                }
            }

            if (when.Length > 0)
                break;
            try
            {
                // Deleters and pruners may leave the volume with nothing but the manifest whose record is lost.
                reported = (await repository.PruneAsync(new PruneOptions { VolumesWithoutRecords = [Repositories.VolumeId] }, Repositories.Token)).Unreferenced;
            }
            catch (CorruptionException e)
            {
                return $"prune finds a loss: {e.Message}";
            }
        }

        List<string> referenced = await store.ListReferencedAsync(_lostManifest);
        List<string> stored = await store.ListKeysAsync();

        // What an actor stored after the evidence for its removal had gone is reported and stays.
        string[] left = await store.ListUnreportedAsync(stored.Except(referenced), reported);
        return left.Length == 0 && referenced.All(stored.Contains) ? null : $"prune left [{string.Join(", ", left)}] or removed [{string.Join(", ", referenced.Except(stored))}]";
    }
}
