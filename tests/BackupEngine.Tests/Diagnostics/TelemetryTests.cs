using System.Diagnostics;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Tests.Repository;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Diagnostics;

public sealed class TelemetryTests
{
    private const int Chunk = 65_536;

    /// <summary>300 chunks in two pages: 20 of data, 5 of written zeros, the rest a hole; the last is short.</summary>
    private static readonly byte[] _content = [.. Repositories.Noise(20 * Chunk), .. new byte[(280 * Chunk) - 1000]];

    [Fact]
    public async Task What_a_full_an_incremental_and_a_restore_measure_is_exactly_what_they_did()
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new InMemoryObjectStore());
        using var measured = new Measurements();
        var volume = new MemoryVolume(_content, Data(25), Chunk);
        Backup full = await repository.FullAsync(volume);
        AssertBackup(measured, full, full.Statistics!.Requests);
        Assert.Equal(20, measured["backup_engine.chunks", "new"]);
        Assert.Equal(280, measured["backup_engine.chunks", "zero"]);
        Assert.Equal(300, measured.Sums.Where(sum => sum.Key.StartsWith("backup_engine.chunks ", StringComparison.Ordinal)).Sum(sum => sum.Value));
        Assert.Equal(1, measured["backup_engine.operation.duration", "backup", "done"]);
        Assert.Equal(0, measured["backup_engine.operations.running", "backup"]);

        // Three chunks are new, two have become zeros, 15 stay.
        byte[] changed = [.. _content];
        Repositories.Noise(3 * Chunk, seed: 8).CopyTo(changed, 0);
        changed.AsSpan(18 * Chunk, 2 * Chunk).Clear();
        using var second = new Measurements();
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(changed, Data(25), Chunk));
        AssertBackup(second, incremental, incremental.Statistics!.Requests);
        Assert.Equal(3, second["backup_engine.chunks", "new"]);
        Assert.Equal(15, second["backup_engine.chunks", "unchanged"]);
        Assert.Equal(282, second["backup_engine.chunks", "zero"]);

        using var third = new Measurements();
        var target = new MemoryVolume(Repositories.Noise(_content.Length));
        RestoreResult restored = await repository.RestoreAsync(incremental.Id, target, cancellationToken: Repositories.Token);
        Assert.Equal(18 * Chunk, restored.BytesWritten);
        Assert.Equal(restored.BytesWritten, third["backup_engine.volume.written"]);
        Assert.Equal(restored.BytesZeroed, third["backup_engine.volume.zeroed"]);
        Assert.Equal(0, third["backup_engine.volume.read"]);
        Assert.Equal(restored.Statistics.Requests.Get, third["backup_engine.object_store.call.duration", "get", "ok"]);
        Assert.Equal(1, third["backup_engine.operation.duration", "restore", "done"]);

        using var fourth = new Measurements();
        RestoreResult compared = await repository.RestoreAsync(full.Id, target, new RestoreOptions { Differential = true }, cancellationToken: Repositories.Token);
        Assert.True(compared.BytesCompared > 0);
        Assert.Equal(compared.BytesCompared, fourth["backup_engine.volume.read"]);
        Assert.Equal(0, fourth["backup_engine.volume.changed"]);
    }

    [Fact]
    public async Task Chunks_that_are_known_not_to_have_changed_count_as_unchanged()
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new InMemoryObjectStore());
        Backup full = await repository.FullAsync(new MemoryVolume(_content));
        byte[] changed = [.. _content];
        changed[5 * Chunk]++;
        using var measured = new Measurements();
        var options = new BackupOptions { VolumeId = Repositories.VolumeId, ParentId = full.Id, ChangedExtents = [new VolumeExtent(5 * Chunk, 10)] };
        Backup incremental = await repository.FullAsync(new MemoryVolume(changed), options);
        AssertBackup(measured, incremental, incremental.Statistics!.Requests);
        Assert.Equal(1, measured["backup_engine.chunks", "new"]);
        Assert.Equal(299, measured["backup_engine.chunks", "unchanged"]);
    }

    [Fact]
    public async Task Requests_of_operations_at_once_are_counted_apart_and_those_of_parts_with_the_whole()
    {
        await using var store = new InMemoryObjectStore();
        await using BackupRepository repository = await Repositories.OpenAsync(store);
        Backup[] backups = await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
            repository.FullAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = $"volume-{i}", Resume = false })));

        // A listing that shows what another backup has just put is repeated, so their number is up to the order of the calls.
        Assert.All(backups, backup => Assert.Equal(backups[0].Statistics!.Requests with { List = 0 }, backup.Statistics!.Requests with { List = 0 }));
        Assert.All(backups, backup => Assert.InRange(backup.Statistics!.Requests.List, 4, 4 + (2 * backups.Length)));

        using var measured = new Measurements();
        long before = repository.Requests.Get;
        await repository.RepairAsync(cancellationToken: Repositories.Token);
        Assert.Equal(repository.Requests.Get - before, measured["backup_engine.object_store.call.duration", "get", "ok"]);
        Assert.Equal(1, measured["backup_engine.operation.duration", "verify", "done"]);
        Assert.Equal(1, measured["backup_engine.operation.duration", "repair", "done"]);
    }

    [Fact]
    public async Task Spans_tell_the_ids_and_the_results()
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new InMemoryObjectStore());
        using var spans = new Spans();
        Backup full = await repository.FullAsync(new MemoryVolume(_content));
        Backup incremental = await repository.IncrementalAsync(new MemoryVolume(_content));
        RestoreResult restored = await repository.RestoreAsync(incremental.Id, new MemoryVolume(_content.Length), cancellationToken: Repositories.Token);
        await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Repositories.Token);
        await repository.DeleteAsync(incremental.Id, Repositories.Token);
        await repository.PruneAsync(cancellationToken: Repositories.Token);
        await repository.RepairAsync(cancellationToken: Repositories.Token);

        // A repair verifies.
        Assert.Equal(["backup", "backup", "restore", "verify", "delete", "prune", "verify", "repair"], spans.Ended.Select(span => span.OperationName));
        Assert.All(spans.Ended, span => Assert.Equal(ActivityStatusCode.Unset, span.Status));
        Assert.All(spans.Ended, span => Assert.Equal("done", span.GetTagItem("backup_engine.outcome")));
        Activity backup = spans.Ended[1];
        Assert.Equal(incremental.Id, backup.GetTagItem("backup_engine.backup.id"));
        Assert.Equal(full.Id, backup.GetTagItem("backup_engine.parent.id"));
        Assert.Equal(Repositories.VolumeId, backup.GetTagItem("backup_engine.volume.id"));
        Assert.Equal(incremental.BytesRead, backup.GetTagItem("backup_engine.volume.read"));
        Assert.Equal(incremental.BytesStored, backup.GetTagItem("backup_engine.volume.stored"));
        Activity restore = spans.Ended[2];
        Assert.Equal(incremental.Id, restore.GetTagItem("backup_engine.backup.id"));
        Assert.Equal(restored.BytesWritten, restore.GetTagItem("backup_engine.volume.written"));
        Assert.Equal(spans.Ended[7].SpanId, spans.Ended[6].ParentSpanId);
    }

    [Fact]
    public async Task What_fails_and_what_is_cancelled_ends_as_that()
    {
        await using BackupRepository repository = await Repositories.OpenAsync(new InMemoryObjectStore());
        using var spans = new Spans();
        using var measured = new Measurements();
        await Assert.ThrowsAsync<BackupNotFoundException>(() => repository.DeleteAsync(Guid.NewGuid(), Repositories.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            repository.BackupAsync(new MemoryVolume(_content), new BackupOptions { VolumeId = "v" }, cancellationToken: new CancellationToken(canceled: true)));

        Assert.Equal(1, measured["backup_engine.operation.duration", "delete", "failed", typeof(BackupNotFoundException).FullName!]);
        Assert.Equal(1, measured["backup_engine.operation.duration", "backup", "cancelled"]);
        Assert.Equal(0, measured["backup_engine.operations.running", "delete"]);
        Assert.Equal(0, measured["backup_engine.operations.running", "backup"]);
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], spans.Ended.Select(span => span.Status));
        Assert.Equal(typeof(BackupNotFoundException).FullName, spans.Ended[0].GetTagItem("error.type"));
        Assert.Equal("cancelled", spans.Ended[1].GetTagItem("backup_engine.outcome"));
    }

    [Fact]
    public async Task Calls_that_fail_are_timed_by_how_they_failed()
    {
        var store = new CountingObjectStore(new InMemoryObjectStore());
        using var measured = new Measurements();
        await Assert.ThrowsAsync<ObjectStoreException>(async () => await store.GetAsync("none", 0, new byte[1], Repositories.Token));
        await store.PutAsync("a", new byte[10], PutCondition.IfAbsent, Repositories.Token);
        await Assert.ThrowsAsync<ObjectStoreException>(async () => await store.PutAsync("a", new byte[10], PutCondition.IfAbsent, Repositories.Token));
        await store.ListKeysAsync();
        await store.DeleteAsync(["a"], Repositories.Token);
        Assert.Equal(1, measured["backup_engine.object_store.call.duration", "get", "not_found"]);
        Assert.Equal(1, measured["backup_engine.object_store.call.duration", "put", "ok"]);
        Assert.Equal(1, measured["backup_engine.object_store.call.duration", "put", "already_exists"]);
        Assert.Equal(1, measured["backup_engine.object_store.call.duration", "list", "ok"]);
        Assert.Equal(1, measured["backup_engine.object_store.call.duration", "delete", "ok"]);
        Assert.Equal(10, measured["backup_engine.object_store.sent"]);
    }

    private static bool[] Data(int chunks) => [.. Enumerable.Range(0, 300).Select(chunk => chunk < chunks)];

    private static void AssertBackup(Measurements measured, Backup backup, RequestCounts requests)
    {
        Assert.Equal(backup.BytesRead, measured["backup_engine.volume.read"]);
        Assert.Equal(backup.BytesChanged, measured["backup_engine.volume.changed"]);
        Assert.Equal(backup.BytesStored, measured["backup_engine.volume.stored"]);
        Assert.Equal(requests.Put, measured["backup_engine.object_store.call.duration", "put", "ok"]);
        Assert.Equal(requests.List, measured["backup_engine.object_store.call.duration", "list", "ok"]);
        Assert.Equal(requests.Delete, measured["backup_engine.object_store.call.duration", "delete", "ok"]);
        Assert.Equal(requests.Get, measured.Sums.Where(sum => sum.Key.StartsWith("backup_engine.object_store.call.duration get", StringComparison.Ordinal)).Sum(sum => sum.Value));
    }
}
