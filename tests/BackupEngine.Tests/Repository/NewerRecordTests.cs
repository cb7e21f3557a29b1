using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

/// <summary>What a newer engine wrote is intact for this one: it is kept byte for byte, and nothing that it may need is removed.</summary>
public sealed class NewerRecordTests : IAsyncDisposable
{
    private const int RecordLength = 1 << 20;
    private readonly InMemoryObjectStore _store = new();
    private readonly byte[] _content = Repositories.Noise(300_000);
    private BackupRepository _repository = null!;
    private Backup _full = null!;
    private Backup _child = null!;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    public static TheoryData<string, string> Newer => new()
    {
        { "record_version", "2" },
        { "hash", "\"blake9\"" },
        { "compression", "\"brotli:5\"" },
        { "status", "\"archived\"" },
        { "chunk_size", "8388608" },
        { "volume_size", "{\"bytes\": 5}" },
    };

    [Theory]
    [MemberData(nameof(Newer))]
    public async Task Repair_IntactRecordOfNewerEngine_LeavesTheRecord(string member, string value)
    {
        byte[] record = await MakeNewerAsync(member, value);
        RepairReport report = await _repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Empty(report.RecordsRebuilt);
        Assert.Empty(report.BackupsMarked);
        Assert.Empty(report.Findings);
        Assert.Equal(record, await ReadChildAsync());
    }

    [Theory]
    [MemberData(nameof(Newer))]
    public async Task RemovingOperations_IntactRecordOfNewerEngine_AreRefusedAndRemoveNothing(string member, string value)
    {
        await MakeNewerAsync(member, value);
        List<string> before = await _store.ListKeysAsync();
        Func<Task>[] operations =
        [
            () => _repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token),
            () => _repository.PruneAsync(new PruneOptions { RepackBelowPercent = 90, BreakIntents = true }, Repositories.Token),
            () => _repository.DeleteAsync(_full.Id, Repositories.Token),
            () => _repository.DeleteAsync(_child.Id, Repositories.Token),
        ];
        foreach (Func<Task> operation in operations)
            AssertNewer(await Assert.ThrowsAsync<RepositoryException>(operation));
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Theory]
    [MemberData(nameof(Newer))]
    public async Task UsingOperations_IntactRecordOfNewerEngine_AreRefusedAsNewerAndNotAsDamaged(string member, string value)
    {
        await MakeNewerAsync(member, value);
        Func<Task>[] operations =
        [
            () => _repository.GetAsync(_child.Id, Repositories.Token),
            () => _repository.FindAsync("latest", cancellationToken: Repositories.Token),
            () => _repository.ExportRecordAsync(_child.Id, Repositories.Token),
            () => _repository.OpenReadAsync(_child.Id, cancellationToken: Repositories.Token),
            () => _repository.RestoreAsync(_child.Id, new MemoryVolume(new byte[300_000]), cancellationToken: Repositories.Token),
            () => _repository.VerifyAsync(new VerifyOptions { BackupId = _child.Id }, cancellationToken: Repositories.Token),
            () => _repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = _child.Id }, cancellationToken: Repositories.Token),
        ];
        foreach (Func<Task> operation in operations)
            AssertNewer(await Assert.ThrowsAsync<RepositoryException>(operation));
    }

    [Theory]
    [MemberData(nameof(Newer))]
    public async Task List_IntactRecordOfNewerEngine_ShowsWhatIsKnownAndSaysNewer(string member, string value)
    {
        await MakeNewerAsync(member, value);
        Backup listed = (await _repository.ListAsync(cancellationToken: Repositories.Token)).Single(backup => backup.Id == _child.Id);
        Assert.Equal(("monday", _full.Id, _child.CreatedAt), (listed.Name, listed.ParentId, listed.CreatedAt));
        Assert.Contains("newer engine", listed.FailReason, StringComparison.Ordinal);

        VerifyReport report = await _repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Empty(report.Findings);
        Assert.Equal([_child.Id], report.BackupsSkipped);
        Assert.Equal(1, report.BackupsChecked);
    }

    [Fact]
    public async Task Incremental_LatestRecordIsOfNewerEngine_BuildsOnTheLatestThatThisEngineKnows()
    {
        await MakeNewerAsync("record_version", "2");
        _content[5]++;
        Backup next = await _repository.IncrementalAsync(new MemoryVolume(_content));
        Assert.Equal(_full.Id, next.ParentId);
        VolumeAssert.Same(_content, await _repository.RestoreOverAsync(next), "the incremental");
    }

    [Fact]
    public async Task Repair_UnknownValueInRecordWithoutChecksum_CountsAsDamage()
    {
        await BeginAsync();
        JsonObject record = JsonNode.Parse(await ReadChildAsync())!.AsObject();
        record.Remove("checksum");
        record["hash"] = "blake9";
        await _store.PutAsync(StoreKeys.Record(_child.VolumeId, _child.Id), Encoding.UTF8.GetBytes(record.ToJsonString()), cancellationToken: Repositories.Token);
        Assert.Equal([_child.Id], (await _repository.RepairAsync(cancellationToken: Repositories.Token)).RecordsRebuilt);
    }

    [Fact]
    public async Task ManifestOfALaterVersion_VerifyAndRepair_SkipTheBackup()
    {
        await BeginAsync();
        byte[] manifest = await _store.GetAllAsync(_child.ManifestKey!, RecordLength, Repositories.Token);
        manifest[Format.ManifestFormat.Header.Version] = 99;
        System.Security.Cryptography.SHA256.HashData(manifest.AsSpan(0, manifest.Length - 32), manifest.AsSpan(manifest.Length - 32));
        await _store.PutAsync(_child.ManifestKey!, manifest, cancellationToken: Repositories.Token);
        Backup record = _child with { ManifestSha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(manifest)) };
        await _store.PutAsync(StoreKeys.Record(_child.VolumeId, _child.Id), CatalogJson.Write(record), cancellationToken: Repositories.Token);

        VerifyReport report = await _repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        Assert.Equal([_child.Id], report.BackupsSkipped);
        Assert.Equal((1, 0), (report.BackupsChecked, report.Findings.Count));
        Assert.Empty((await _repository.RepairAsync(cancellationToken: Repositories.Token)).BackupsMarked);
        await Assert.ThrowsAsync<RepositoryException>(() => _repository.PruneAsync(cancellationToken: Repositories.Token));
    }

    [Fact]
    public async Task Prune_IntentOfNewerEngine_IsRefusedAlsoWhenIntentsAreBroken()
    {
        await BeginAsync();
        var intent = new Intent { Backup = _child with { Id = Guid.NewGuid(), RecordVersion = 7, Status = BackupStatus.Creating } };
        string key = StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id);
        await _store.PutAsync(key, CatalogJson.Write(intent), cancellationToken: Repositories.Token);
        List<string> before = await _store.ListKeysAsync();
        AssertNewer(await Assert.ThrowsAsync<RepositoryException>(() => _repository.PruneAsync(new PruneOptions { BreakIntents = true, IntentAge = TimeSpan.Zero }, Repositories.Token)));
        Assert.Equal(before, await _store.ListKeysAsync());
    }

    [Fact]
    public async Task UnknownMembers_RecordIsRewrittenByEveryOperation_AreKept()
    {
        await BeginAsync();
        await ChangeChildAsync(record =>
        {
            record["source"] = new JsonObject { ["host"] = "alpha", ["sectors"] = new JsonArray(512, 4096) };
            record["consistent"] = false;
        });

        // A repack lets the record name another manifest.
        await _repository.PruneAsync(new PruneOptions { RepackBelowPercent = 99 }, Repositories.Token);
        await AssertKeptAsync();

        // Export and import elsewhere.
        ExportedRecord exported = await _repository.ExportRecordAsync(_child.Id, Repositories.Token);
        await _store.DeleteAsync(StoreKeys.Record(_child.VolumeId, _child.Id), Repositories.Token);
        await _repository.ImportRecordAsync(exported, Repositories.Token);
        await AssertKeptAsync();
        Assert.Equal(1, Encoding.UTF8.GetString(await ReadChildAsync()).Split("\"checksum\"").Length - 1);

        // A repair that marks the backup.
        string pack = (await _store.ListKeysAsync()).Last(stored => stored.Contains($"/packs/{_child.Id}/", StringComparison.Ordinal));
        await _store.DeleteAsync(pack, Repositories.Token);
        Assert.Equal([_child.Id], (await _repository.RepairAsync(cancellationToken: Repositories.Token)).BackupsMarked);
        await AssertKeptAsync();
        Assert.Equal("error", (string)JsonNode.Parse(await ReadChildAsync())!["status"]!);
    }

    [Fact]
    public async Task UnknownMembers_BackupThatWasCutOffIsAdopted_AreKeptInItsTombstone()
    {
        await BeginAsync();
        byte[] json = CatalogJson.Write(new Intent { Backup = _child with { Id = Guid.NewGuid(), Status = BackupStatus.Creating, ManifestSha256 = null } });
        JsonObject intent = JsonNode.Parse(json)!.AsObject();
        intent["refreshed_at"] = "2030-01-01T00:00:00Z";
        intent["backup"]!["source"] = "alpha";
        Intent read = CatalogJson.ReadIntent("key", Encoding.UTF8.GetBytes(intent.ToJsonString()));
        Assert.Equal("2030-01-01T00:00:00Z", (string)JsonNode.Parse(CatalogJson.Write(read))!["refreshed_at"]!);
        Assert.Equal("alpha", (string)JsonNode.Parse(CatalogJson.Write(read.Backup with { Status = BackupStatus.Deleting }))!["source"]!);
    }

    [Fact]
    public async Task Import_RecordOfNewerEngine_IsRefused()
    {
        await BeginAsync();
        ExportedRecord exported = await _repository.ExportRecordAsync(_child.Id, Repositories.Token);
        JsonObject record = JsonNode.Parse(Convert.FromBase64String(exported.BackupUrl))!.AsObject();
        record["id"] = Guid.NewGuid().ToString();
        record["record_version"] = 2;
        RecordFormatException e = await Assert.ThrowsAsync<RecordFormatException>(() => _repository.ImportRecordAsync(
            exported with { BackupUrl = Convert.ToBase64String(Encoding.UTF8.GetBytes(record.ToJsonString())) }, Repositories.Token));
        Assert.Contains("newer engine", e.Message, StringComparison.Ordinal);
    }

    private static void AssertNewer(RepositoryException e)
    {
        Assert.Contains("newer engine", e.Message, StringComparison.Ordinal);
        Assert.Contains("not damaged", e.Message, StringComparison.Ordinal);
    }

    private async Task BeginAsync()
    {
        _repository = await Repositories.OpenAsync(_store);
        _full = await _repository.FullAsync(new MemoryVolume(_content));
        _content[^1]++;
        _child = await _repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = Repositories.VolumeId, Incremental = true, Name = "monday" }, cancellationToken: Repositories.Token);
    }

    /// <summary>Rewrites the child's record as a newer engine would: with a right checksum.</summary>
    private async Task<byte[]> MakeNewerAsync(string member, string value)
    {
        await BeginAsync();
        return await ChangeChildAsync(record => record[member] = JsonNode.Parse(value));
    }

    private async Task<byte[]> ChangeChildAsync(Action<JsonObject> change)
    {
        JsonObject record = JsonNode.Parse(await ReadChildAsync())!.AsObject();
        record.Remove("checksum");
        change(record);
        string content = record.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }).TrimEnd('}').TrimEnd('\n');
        string checksum = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(content)).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
        byte[] bytes = Encoding.UTF8.GetBytes($"{content},\n  \"checksum\": \"{checksum}\"\n}}");
        await _store.PutAsync(StoreKeys.Record(_child.VolumeId, _child.Id), bytes, cancellationToken: Repositories.Token);
        return bytes;
    }

    private async Task AssertKeptAsync()
    {
        JsonObject record = JsonNode.Parse(await ReadChildAsync())!.AsObject();
        Assert.Equal("""{"host":"alpha","sectors":[512,4096]}""", record["source"]!.ToJsonString());
        Assert.False((bool)record["consistent"]!);
        Assert.True((await _repository.ListAsync(cancellationToken: Repositories.Token)).Single(backup => backup.Id == _child.Id) is { IsUnreadable: false });
    }

    private async Task<byte[]> ReadChildAsync() => await _store.GetAllAsync(StoreKeys.Record(_child.VolumeId, _child.Id), RecordLength, Repositories.Token);
}
