using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Tests.Repository;

public sealed class RecordTests : IAsyncDisposable
{
    private readonly InMemoryObjectStore _store = new();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_lost_record_comes_back_by_import()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(200_000);
        Backup full = await repository.FullAsync(new MemoryVolume(content), new BackupOptions
        {
            VolumeId = Repositories.VolumeId,
            Name = "sunday",
            Description = "before the upgrade",
            Metadata = new Dictionary<string, string> { ["rack"] = "b7" },
            AvailabilityZone = "nova",
            SnapshotId = "s1",
        });
        ExportedRecord record = await repository.ExportRecordAsync(full.Id, Repositories.Token);
        await _store.DeleteAsync([StoreKeys.Record(full.VolumeId, full.Id)], Repositories.Token);
        await Assert.ThrowsAsync<BackupNotFoundException>(() => repository.GetAsync(full.Id, Repositories.Token));

        Backup imported = await repository.ImportRecordAsync(record, Repositories.Token);
        Assert.Equal(("sunday", "before the upgrade", "b7", "nova", "s1"), (imported.Name, imported.Description, imported.Metadata["rack"], imported.AvailabilityZone, imported.SnapshotId));
        VolumeAssert.Same(content, await repository.RestoreOverAsync(imported), "the imported backup");
    }

    [Fact]
    public async Task Imported_under_another_id_the_same_data_is_a_second_backup_and_deleting_one_leaves_the_other_whole()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(200_000);
        Backup full = await repository.FullAsync(new MemoryVolume(content));
        foreach (bool deleteOriginal in new[] { false, true })
        {
            Backup copy = await repository.ImportRecordAsync(WithId(await repository.ExportRecordAsync(full.Id, Repositories.Token), Guid.NewGuid()), Repositories.Token);
            Assert.Equal(2, (await repository.ListAsync(cancellationToken: Repositories.Token)).Count);
            VolumeAssert.Same(content, await repository.RestoreOverAsync(copy), "the copy");
            await repository.DeleteAsync(deleteOriginal ? full.Id : copy.Id, Repositories.Token);
            full = deleteOriginal ? copy : full;
            VolumeAssert.Same(content, await repository.RestoreOverAsync(full), "the one that is left");
        }

        // A child of the copy shares the chain's packs, wherever the records lie.
        content[5]++;
        Backup child = await repository.IncrementalAsync(new MemoryVolume(content));
        Assert.Equal(full.Id, child.ParentId);
        Assert.Equal(65_536, child.BytesChanged);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(child), "the copy's child");
        await repository.DeleteAsync(child.Id, Repositories.Token);
        await repository.DeleteAsync(full.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_id_of_a_backup_that_is_gone_is_refused_while_others_need_its_data(bool byImport)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(300_000);
        Backup gone = await repository.FullAsync(new MemoryVolume(content));
        Backup heir;
        if (byImport)
        {
            heir = await repository.ImportRecordAsync(WithId(await repository.ExportRecordAsync(gone.Id, Repositories.Token), Guid.NewGuid()), Repositories.Token);
            await repository.DeleteAsync(gone.Id, Repositories.Token);
        }
        else
        {
            content[^1]++;
            heir = await repository.IncrementalAsync(new MemoryVolume(content));
            await repository.PruneAsync(new PruneOptions { KeepLast = 1 }, Repositories.Token);
        }

        List<string> before = await _store.ListKeysAsync();
        var again = new BackupOptions { VolumeId = Repositories.VolumeId, BackupId = gone.Id };
        BackupStateException refused = await Assert.ThrowsAsync<BackupStateException>(() => repository.FullAsync(new MemoryVolume(Repositories.Noise(300_000, 1)), again));
        Assert.Contains("give this one another id", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await _store.ListKeysAsync());
        VolumeAssert.Same(content, await repository.RestoreOverAsync(heir), "what needs the data");
    }

    [Fact]
    public async Task A_record_that_could_not_be_read_again_is_refused_before_anything_is_stored()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, Metadata = new Dictionary<string, string> { ["long"] = new('x', 2 << 20) } };
        await Assert.ThrowsAsync<ArgumentException>(() => repository.FullAsync(new MemoryVolume(new byte[1000]), options));
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [Fact]
    public async Task Imported_under_another_volume_the_chain_goes_on_where_its_data_is()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        byte[] content = Repositories.Noise(200_000);
        Backup full = await repository.FullAsync(new MemoryVolume(content));
        ExportedRecord record = WithId(await repository.ExportRecordAsync(full.Id, Repositories.Token), Guid.NewGuid(), "moved");
        Backup moved = await repository.ImportRecordAsync(record, Repositories.Token);
        Assert.Equal("moved", moved.VolumeId);
        content[70_000]++;
        Backup child = await repository.BackupAsync(new MemoryVolume(content), new BackupOptions { VolumeId = "moved", Incremental = true }, cancellationToken: Repositories.Token);
        await repository.DeleteAsync(full.Id, Repositories.Token);
        VolumeAssert.Same(content, await repository.RestoreOverAsync(child), "the child in the other volume");
        await repository.DeleteAsync(child.Id, Repositories.Token);
        await repository.DeleteAsync(moved.Id, Repositories.Token);
        Assert.Equal([StoreKeys.Repository], await _store.ListKeysAsync());
    }

    [Fact]
    public async Task A_record_is_json_that_people_can_read()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(200_000)));
        byte[] json = await _store.GetAllAsync(StoreKeys.Record(full.VolumeId, full.Id), 1 << 20, Repositories.Token);
        JsonObject record = JsonNode.Parse(json)!.AsObject();
        string[] expected =
        [
            "id", "volume_id", "name", "description", "status", "size", "volume_size", "object_count", "container", "created_at", "updated_at", "data_timestamp",
            "stored_at", "ordered_at", "snapshot_id", "parent_id", "is_incremental", "availability_zone", "fail_reason", "metadata", "chunk_size", "hash", "compression",
            "bytes_read", "bytes_changed", "bytes_stored", "duration_seconds", "manifest", "manifest_sha256", "engine_version", "record_version", "checksum",
        ];
        Assert.Equal(expected, record.Select(member => member.Key));
        Assert.Equal("available", (string)record["status"]!);
        Assert.Equal(1, (int)record["size"]!);
        Assert.Equal(200_000, (int)record["volume_size"]!);
        Assert.Equal("lz4", (string)record["compression"]!);
        Assert.Equal("blake3", (string)record["hash"]!);
        Assert.Equal(1, (int)record["record_version"]!);
    }

    /// <summary>What operations set aside is reckoned by them: a restore of such an import waited for ever, and all behind it.</summary>
    [Theory]
    [InlineData("chunk_size", 1 << 30)]
    [InlineData("chunk_size", 0)]
    [InlineData("chunk_size", 65_537)]
    [InlineData("volume_size", -1L)]
    [InlineData("volume_size", long.MaxValue)]
    public async Task A_record_of_what_cannot_be_is_refused(string member, long value)
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(200_000)));
        ExportedRecord record = With(WithId(await repository.ExportRecordAsync(full.Id, Repositories.Token), Guid.NewGuid()), member, value);
        RecordFormatException e = await Assert.ThrowsAsync<RecordFormatException>(() => repository.ImportRecordAsync(record, Repositories.Token));
        Assert.Contains("cannot be", e.Message, StringComparison.Ordinal);

        string key = StoreKeys.Record(full.VolumeId, full.Id);
        JsonObject json = JsonNode.Parse(await _store.GetAllAsync(key, 1 << 20, Repositories.Token))!.AsObject();
        json.Remove("checksum");
        json[member] = value;
        await _store.PutAsync(key, Encoding.UTF8.GetBytes(json.ToJsonString()), cancellationToken: Repositories.Token);
        Backup stored = Assert.Single(await repository.ListAsync(cancellationToken: Repositories.Token));
        Assert.True(stored.IsUnreadable);
    }

    [Fact]
    public async Task A_record_of_another_chunk_size_than_its_manifest_is_refused()
    {
        BackupRepository repository = await Repositories.OpenAsync(_store);
        Backup full = await repository.FullAsync(new MemoryVolume(Repositories.Noise(200_000)));
        ExportedRecord record = With(WithId(await repository.ExportRecordAsync(full.Id, Repositories.Token), Guid.NewGuid()), "chunk_size", 4 << 20);
        await Assert.ThrowsAsync<CorruptionException>(() => repository.ImportRecordAsync(record, Repositories.Token));
    }

    private static ExportedRecord With(ExportedRecord record, string member, long value)
    {
        JsonObject json = JsonNode.Parse(Convert.FromBase64String(record.BackupUrl))!.AsObject();
        json[member] = value;
        return record with { BackupUrl = Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())) };
    }

    internal static ExportedRecord WithId(ExportedRecord record, Guid id, string? volumeId = null)
    {
        JsonObject json = JsonNode.Parse(Convert.FromBase64String(record.BackupUrl))!.AsObject();
        json["id"] = id.ToString();
        if (volumeId is not null)
            json["volume_id"] = volumeId;
        return record with { BackupUrl = Convert.ToBase64String(Encoding.UTF8.GetBytes(json.ToJsonString())) };
    }
}
