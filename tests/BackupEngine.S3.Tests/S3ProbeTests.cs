using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.S3;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.S3.Tests;

/// <summary>The check of a store against S3 servers that honour conditions, and against those that do not.</summary>
public sealed class S3ProbeTests
{
    private const string VolumeId = "volume-1";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Good => AwkwardBehaviors.Good;

    public static TheoryData<string, string> Bad => AwkwardBehaviors.Bad;

    [Theory]
    [MemberData(nameof(Good))]
    public async Task Check_GoodServer_IsSafeAndLeavesNothing(string name)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
        Assert.True(report.IsSafe, string.Join("; ", report.Checks.Select(check => check.Detail)));
        Assert.All(report.Checks, check => Assert.Equal(ObjectStoreCheckResult.Supported, check.Result));
        Assert.Equal(name.Contains("unquoted only", StringComparison.Ordinal) || name == "drops quoted" ? "unquoted" : "quoted", report.Properties["if_match_tags"]);
        Assert.Equal(name == "no batch delete" ? "no" : "yes", report.Properties["batch_delete"]);
        Assert.Empty(server.Keys(bucket));
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Check_BadServer_NamesWhatIsMissingAndLeavesNothing(string name, string expected)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
        Assert.False(report.IsSafe);
        Assert.Contains(report.Checks, check => check.Result == ObjectStoreCheckResult.Missing && check.Detail.Contains(expected, StringComparison.Ordinal));
        Assert.Empty(server.Keys(bucket));

        UnsupportedObjectStoreException e = await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => BackupRepository.CreateAsync(store, cancellationToken: Cancellation));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Contains(bucket, e.Message, StringComparison.Ordinal);
        Assert.Empty(server.Keys(bucket));
    }

    /// <summary>The condition holds when one put comes after the other; only simultaneous puts show that nothing keeps them apart.</summary>
    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Check_ServerWithConditionsThatAreNotAtomic_IsNotSafe()
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(new AwkwardS3Behavior { ConditionsAreNotAtomic = true });
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, S3Server.NewBucketName());
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
        Assert.Equal(ObjectStoreFeature.SimultaneousPuts, Assert.Single(report.Checks, check => check.Result == ObjectStoreCheckResult.Missing).Feature);
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Backup_ServerLosesConditions_IsRefusedAndChangesNothing(string name, string expected)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using (S3ObjectStore good = AwkwardBehaviors.Open(server, bucket))
            await BackupAsync(good, Noise(1));
        Dictionary<string, byte[]> before = Contents(server, bucket);
        await using AwkwardS3Server bad = await CopyAsync(server, bucket, AwkwardBehaviors.All[name]);
        await using S3ObjectStore store = AwkwardBehaviors.Open(bad, bucket);
        UnsupportedObjectStoreException e = await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => BackupAsync(store, Noise(2)));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Contents(bad, bucket));
    }

    /// <summary>
    /// What a reviewer found: a backup is committed, its intent cannot be deleted, and the next backup (or prune) puts its tombstone over the record, on a server that ignores
    /// If-None-Match; then its data goes, and both commands report success.
    /// </summary>
    [Theory]
    [InlineData("backup")]
    [InlineData("prune")]
    public async Task CommittedBackupWithIntent_ServerIgnoresIfNoneMatch_IsNotLost(string next)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        byte[] content = Noise(1);
        Backup committed;
        await using (S3ObjectStore store = AwkwardBehaviors.Open(server, bucket))
        await using (NoDeletes keeping = new(store))
            committed = await BackupAsync(keeping, content);
        Assert.Contains($"prefix/intents/{VolumeId}/{committed.Id}.json", server.Keys(bucket));

        await using AwkwardS3Server bad = await CopyAsync(server, bucket, new AwkwardS3Behavior { IgnoresIfNoneMatch = true });
        await using S3ObjectStore opened = AwkwardBehaviors.Open(bad, bucket);
        await using BackupRepository repository = await BackupRepository.OpenAsync(opened, cancellationToken: Cancellation);
        Task operation = next == "prune" ? repository.PruneAsync(cancellationToken: Cancellation) : BackupAsync(opened, Noise(2));
        try
        {
            await operation;
        }
        catch (BackupEngineException)
        {
            // Refused: what matters is what became of the backup.
        }

        Assert.Equal(BackupStatus.Available, Assert.Single(await repository.ListAsync(cancellationToken: Cancellation), backup => backup.Id == committed.Id).Status);
        VolumeAssert.Same(content, await RestoreAsync(repository, committed), next);
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [MemberData(nameof(Good))]
    public async Task Repository_GoodServer_BacksUpDeletesAndPrunes(string name)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, cancellationToken: Cancellation);
        byte[] content = Noise(1);
        List<(Backup Backup, byte[] Content)> made = [];
        for (int i = 0; i < 4; i++)
        {
            Noise(i + 10).AsSpan(0, 70_000).CopyTo(content.AsSpan(i * 130_000));
            made.Add((await repository.BackupAsync(new MemoryVolume(content), new BackupOptions { VolumeId = VolumeId, Incremental = i > 0 }, cancellationToken: Cancellation), [.. content]));
        }

        await repository.DeleteAsync(made[3].Backup.Id, Cancellation);
        PruneReport report = await repository.PruneAsync(new PruneOptions { KeepLast = 2, RepackBelowPercent = 99 }, Cancellation);
        Assert.Equal([made[0].Backup.Id], report.BackupsRemoved);
        foreach ((Backup backup, byte[] was) in made.Skip(1).Take(2))
            VolumeAssert.Same(was, await RestoreAsync(repository, backup), name);
        Assert.Empty((await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Cancellation)).Findings);
        Assert.DoesNotContain(server.Keys(bucket), key => key.Contains("intents/", StringComparison.Ordinal) || key.Contains("probe", StringComparison.Ordinal));
        await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Cancellation);
        await repository.DeleteAsync(made[2].Backup.Id, Cancellation);
        Assert.Equal(["prefix/backup-engine.json"], server.Keys(bucket));
    }

    /// <summary>The form of tags is known from the probe on, so a real conflict is not tried again with the other form.</summary>
    [Theory]
    [InlineData("default")]
    [InlineData("unquoted only")]
    public async Task Replace_RealConflictAfterProbe_IsOneAttempt(string name)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, S3Server.NewBucketName());
        await ObjectStoreProbe.CheckAsync(store, Cancellation);
        byte[] before = [1, 2, 3];
        await store.PutAsync("k", before, cancellationToken: Cancellation);

        // Another writer comes between this one's read and its put.
        server.Behavior = server.Behavior with { RefusesEveryIfMatch = true };
        int puts = server.Requests.Count(request => request.IfMatch is not null);
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutAsync("k", new byte[] { 4 }, PutCondition.IfUnchanged(before), Cancellation).AsTask());
        Assert.Equal(ObjectStoreError.Changed, e.Error);
        Assert.Equal(puts + 1, server.Requests.Count(request => request.IfMatch is not null));
    }

    [Fact]
    public async Task FirstWrite_SecondStoreOfTheBucket_IsNotProbedAgain()
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore first = AwkwardBehaviors.Open(server, bucket);
        await BackupAsync(first, Noise(1));
        int probes = server.Requests.Count(request => request.Path.EndsWith("backup-engine.json", StringComparison.Ordinal) && request.Method == "PUT");
        await using S3ObjectStore second = AwkwardBehaviors.Open(server, bucket);
        await BackupAsync(second, Noise(2));
        Assert.Equal(probes, server.Requests.Count(request => request.Path.EndsWith("backup-engine.json", StringComparison.Ordinal) && request.Method == "PUT"));
    }

    /// <summary>design: at most seven requests before the first write of a process.</summary>
    [Fact]
    public async Task FirstWrite_RepositoryOnNewProcess_TakesSevenRequests()
    {
        await using AwkwardS3Server made = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using (S3ObjectStore first = AwkwardBehaviors.Open(made, bucket))
            await BackupAsync(first, Noise(1));
        await using AwkwardS3Server server = await CopyAsync(made, bucket, new AwkwardS3Behavior());
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        int before = CountRequests();
        await BackupAsync(store, Noise(2));
        int withProbe = CountRequests() - before;
        before = CountRequests();
        await BackupAsync(store, Noise(3));
        Assert.Equal(7, withProbe - (CountRequests() - before));

        // The second backup of a volume reads one record more than the first.
        int CountRequests() => server.Requests.Count(request => request.Method != "GET" || !request.Path.Contains("/records/", StringComparison.Ordinal));
    }

    /// <summary>Each answer of the probe may be lost: what was done is found out, and the result is that of a server whose answers arrive.</summary>
    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData("default")]
    [InlineData("unquoted only")]
    [InlineData("tags differ by put")]
    [InlineData("ignores If-None-Match")]
    [InlineData("ignores If-Match")]
    [InlineData("If-Match creates")]
    public async Task Check_AnswersAreLost_ResultIsTheSame(string name)
    {
        AwkwardS3Behavior behavior = AwkwardBehaviors.All[name];
        await using AwkwardS3Server calm = await AwkwardS3Server.StartAsync(behavior);
        await using S3ObjectStore undisturbed = AwkwardBehaviors.Open(calm, S3Server.NewBucketName());
        ObjectStoreReport expected = await ObjectStoreProbe.CheckAsync(undisturbed, Cancellation);
        for (int lost = 0; lost < 12; lost++)
        {
            int number = lost;
            await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(behavior with { LosesAnswer = request => request.Method is "PUT" or "POST" && request.Number == number });
            string bucket = S3Server.NewBucketName();
            await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
            ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
            Assert.Equal(
                expected.Checks.Select(check => (check.Feature, check.Result)).Where(check => check.Feature != ObjectStoreFeature.SimultaneousPuts),
                report.Checks.Select(check => (check.Feature, check.Result)).Where(check => check.Feature != ObjectStoreFeature.SimultaneousPuts));
            Assert.Equal(expected.Properties["if_match_tags"], report.Properties["if_match_tags"]);
            Assert.Empty(server.Keys(bucket));
        }
    }

    [Theory]
    [InlineData("default")]
    [InlineData("tags differ by put")]
    [InlineData("tags differ by put, unquoted only")]
    public async Task Check_ManyAtOnceOnOneRepository_AllAreSafe(string name)
    {
        await using AwkwardS3Server made = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using (S3ObjectStore first = AwkwardBehaviors.Open(made, bucket))
            await BackupAsync(first, Noise(1));
        await using AwkwardS3Server server = await CopyAsync(made, bucket, AwkwardBehaviors.All[name]);
        byte[] file = server.Find(bucket, "prefix/backup-engine.json")!;
        ObjectStoreReport[] reports = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
            return await ObjectStoreProbe.CheckAsync(store, Cancellation);
        })));
        Assert.All(reports, report => Assert.True(report.IsSafe, string.Join("; ", report.Checks.Select(check => check.Detail))));
        Assert.Equal(file, server.Find(bucket, "prefix/backup-engine.json"));
    }

    [Theory]
    [InlineData("repeats")]
    [InlineData("empty")]
    [InlineData("others")]
    public async Task List_ServerNeverEndsOrListsOtherKeys_IsAFaultOfTheServer(string fault)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        foreach (string key in (string[])["a/1", "a/2", "b"])
            await store.PutAsync(key, new byte[1], cancellationToken: Cancellation);
        server.Behavior = fault switch
        {
            "repeats" => new AwkwardS3Behavior { RepeatsContinuationToken = true },
            "empty" => new AwkwardS3Behavior { ListsEmptyPagesForever = true },
            _ => new AwkwardS3Behavior { ListsOtherKeys = true },
        };
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(async () =>
        {
            await foreach (ObjectInfo _ in store.ListAsync("a/", Cancellation).WithCancellation(Cancellation))
            {
                // Only its end matters.
            }
        });
        Assert.Equal(ObjectStoreError.Failed, e.Error);
        Assert.Contains("fault of the server", e.Message, StringComparison.Ordinal);
    }

    [LongRunning(NeedsTools = true)]
    [Theory]
    [InlineData("ignores both")]
    [InlineData("rejects both")]
    [InlineData("refuses every If-Match")]
    public async Task SingleWriter_BadServer_BacksUpAndDeletes(string name)
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, new RepositoryOptions { SingleWriter = true }, Cancellation);
        Backup full = await repository.BackupAsync(new MemoryVolume(Noise(1)), new BackupOptions { VolumeId = VolumeId }, cancellationToken: Cancellation);
        VolumeAssert.Same(Noise(1), await RestoreAsync(repository, full), name);
        await Assert.ThrowsAsync<UnsupportedObjectStoreException>(() => repository.PruneAsync(cancellationToken: Cancellation));
        await repository.DeleteAsync(full.Id, Cancellation);
        Assert.Equal(["prefix/backup-engine.json"], server.Keys(bucket));
    }

    /// <summary>A pack's put costs headers only: one request, and one more header with its condition.</summary>
    [Fact]
    public async Task Backup_Packs_ArePutIfAbsentByOneRequestEach()
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        string bucket = S3Server.NewBucketName();
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, bucket);
        await BackupAsync(store, Noise(1));
        AwkwardS3Request[] packs = [.. server.Requests.Where(request => request.Path.Contains("/packs/", StringComparison.Ordinal) && request.Method == "PUT")];
        Assert.NotEmpty(packs);
        Assert.Equal(packs.Length, server.Keys(bucket).Count(key => key.Contains("/packs/", StringComparison.Ordinal)));
        Assert.All(packs, put => Assert.Equal("*", put.IfNoneMatch));
    }

    [Fact]
    public async Task Backup_AnswersToPacksAreLost_IsCommitted()
    {
        await using AwkwardS3Server server = await AwkwardS3Server.StartAsync();
        HashSet<string> lost = [];
        server.Behavior = new AwkwardS3Behavior
        {
            LosesAnswer = request =>
            {
                lock (lost)
                    return request.Method == "PUT" && request.Path.Contains("/volumes/", StringComparison.Ordinal) && lost.Add(request.Path);
            },
        };
        await using S3ObjectStore store = AwkwardBehaviors.Open(server, S3Server.NewBucketName());
        Backup backup = await BackupAsync(store, Noise(1));
        Assert.NotEmpty(lost);
        await using BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: Cancellation);
        VolumeAssert.Same(Noise(1), await RestoreAsync(repository, backup), "lost answers");
    }

    [Fact]
    public async Task Check_RealServer_IsSafeAndLeavesNothing()
    {
        await using S3ObjectStore store = new(await S3TestBucket.NewPlaceAsync());
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
        Assert.True(report.IsSafe, string.Join("; ", report.Checks.Select(check => check.Detail)));
        Assert.All(report.Checks, check => Assert.Equal(ObjectStoreCheckResult.Supported, check.Result));
        Assert.NotEqual("unknown", report.Properties["if_match_tags"]);
        await BackupAsync(store, Noise(1));
        report = await ObjectStoreProbe.CheckAsync(store, Cancellation);
        Assert.True(report.IsSafe && report.HoldsRepository, string.Join("; ", report.Checks.Select(check => check.Detail)));
        await foreach (ObjectInfo info in store.ListAsync("backup-engine.", Cancellation))
            Assert.Equal("backup-engine.json", info.Key);
    }

    private static byte[] Noise(int seed)
    {
        byte[] noise = new byte[600_000];
        new Random(seed).NextBytes(noise);
        return noise;
    }

    private static async Task<Backup> BackupAsync(IObjectStore store, byte[] content)
    {
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, cancellationToken: Cancellation);
        return await repository.BackupAsync(new MemoryVolume(content), new BackupOptions { VolumeId = VolumeId }, cancellationToken: Cancellation);
    }

    private static async Task<byte[]> RestoreAsync(BackupRepository repository, Backup backup)
    {
        var target = new MemoryVolume(new byte[backup.SizeBytes]);
        await repository.RestoreAsync(backup.Id, target, cancellationToken: Cancellation);
        return target.ToArray();
    }

    private static Dictionary<string, byte[]> Contents(AwkwardS3Server server, string bucket) => server.Keys(bucket).ToDictionary(key => key, key => server.Find(bucket, key)!);

    /// <summary>Starts another server, which this process has not probed, with the same objects.</summary>
    private static async Task<AwkwardS3Server> CopyAsync(AwkwardS3Server server, string bucket, AwkwardS3Behavior behavior)
    {
        AwkwardS3Server copy = await AwkwardS3Server.StartAsync();
        await using (S3ObjectStore store = AwkwardBehaviors.Open(copy, bucket, prefix: ""))
        {
            foreach (string key in server.Keys(bucket))
                await store.PutAsync(key, server.Find(bucket, key)!, cancellationToken: Cancellation);
        }

        copy.Behavior = behavior;
        return copy;
    }

    private sealed class NoDeletes(IObjectStore inner) : IObjectStore
    {
        public string Name => inner.Name;

        public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition = default, CancellationToken cancellationToken = default) =>
            inner.PutAsync(key, content, condition, cancellationToken);

        public ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken = default) =>
            inner.GetAsync(key, offset, destination, cancellationToken);

        public ValueTask<ObjectInfo?> HeadAsync(string key, CancellationToken cancellationToken = default) => inner.HeadAsync(key, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken = default) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default) => keys.Any(key => key.StartsWith("intents/", StringComparison.Ordinal))
            ? throw new ObjectStoreException(ObjectStoreError.AccessDenied, keys.First(), "intents cannot be deleted")
            : inner.DeleteAsync(keys, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
