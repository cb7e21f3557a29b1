using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>The exact fields of every JSON document. Scripts depend on them: a field may be added here, none taken away.</summary>
public sealed class JsonContractTests : IDisposable
{
    private static readonly string[] _recordFields =
    [
        "availability_zone", "bytes_changed", "bytes_read", "bytes_stored", "chunk_size", "compression", "container", "created_at",
        "data_timestamp", "description", "duration_seconds", "engine_version", "fail_reason", "has_future_timestamp", "hash", "id", "is_incremental", "manifest",
        "manifest_sha256", "metadata", "name", "object_count", "ordered_at", "parent_id", "record_version", "size", "snapshot_id", "status", "stored_at", "updated_at", "volume_id", "volume_size",
    ];

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task Backup_prints_the_record_and_the_requests()
    {
        JsonElement record = await BackUpAsync();
        MustHave(record, [.. _recordFields, "has_dependent_backups", "requests"]);
        MustBeRequests(record.GetProperty("requests"));
        Assert.True(record.GetProperty("requests").GetProperty("put").GetInt64() >= 4);
        Assert.Equal("available", record.GetProperty("status").GetString());
        Assert.Equal(1, record.GetProperty("size").GetInt64());
        Assert.Equal(TimeSpan.Zero, record.GetProperty("created_at").GetDateTimeOffset().Offset);
        Assert.Equal(TimeSpan.Zero, record.GetProperty("data_timestamp").GetDateTimeOffset().Offset);
        Assert.Equal(JsonValueKind.Object, record.GetProperty("metadata").ValueKind);
        Assert.Equal(JsonValueKind.Null, record.GetProperty("parent_id").ValueKind);
    }

    [LongRunning]
    [Fact]
    public async Task List_prints_an_array_of_records()
    {
        await BackUpAsync();
        JsonElement list = (await CliProcess.RunAsync("list", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        MustHave(Assert.Single(list.EnumerateArray()), [.. _recordFields, "has_dependent_backups"]);
    }

    [LongRunning]
    [Fact]
    public async Task Show_prints_the_record()
    {
        await BackUpAsync();
        JsonElement record = (await CliProcess.RunAsync("show", "latest", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        MustHave(record, [.. _recordFields, "has_dependent_backups"]);
        Assert.False(record.GetProperty("has_dependent_backups").GetBoolean());
    }

    [LongRunning]
    [Fact]
    public async Task Restore_prints_what_it_did()
    {
        await BackUpAsync();
        string target = _workspace.PathOf("target.img");
        JsonElement result = (await CliProcess.RunAsync("restore", "latest", "--store", _workspace.Store, "--to", target, "--json")).MustSucceed().Json;
        MustHave(
            result,
            [
                "backup_id", "bytes_changed", "bytes_compared", "bytes_lost", "bytes_read", "bytes_restored", "bytes_stored", "bytes_written", "bytes_zeroed",
                "duration_seconds", "lost_ranges", "requests", "resumed", "target", "target_created", "volume_id", "volume_size",
            ]);
        MustBeRequests(result.GetProperty("requests"));
        Assert.Equal(300_000, result.GetProperty("volume_size").GetInt64());
        Assert.Equal(300_000, result.GetProperty("bytes_restored").GetInt64());
        Assert.True(result.GetProperty("target_created").GetBoolean());
        Assert.Equal(0, result.GetProperty("requests").GetProperty("put").GetInt64());
    }

    [LongRunning]
    [Fact]
    public async Task Delete_prints_what_is_gone()
    {
        JsonElement record = await BackUpAsync();
        JsonElement result = (await CliProcess.RunAsync("delete", "latest", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        MustHave(result, ["deleted", "id", "requests", "volume_id"]);
        MustBeRequests(result.GetProperty("requests"));
        Assert.Equal(record.GetProperty("id").GetString(), result.GetProperty("id").GetString());
    }

    [LongRunning]
    [Theory]
    [InlineData("export latest")]
    [InlineData("export latest --json")]
    public async Task Export_prints_the_record_that_import_takes(string command)
    {
        await BackUpAsync();
        JsonElement exported = (await CliProcess.RunAsync([.. command.Split(' '), "--store", _workspace.Store])).MustSucceed().Json;
        MustHave(exported, ["backup_service", "backup_url"]);
        Assert.Equal("cinder.backup.drivers.backup_engine", exported.GetProperty("backup_service").GetString());
        Assert.NotEmpty(exported.GetProperty("backup_url").GetBytesFromBase64());
    }

    [LongRunning]
    [Fact]
    public async Task Verify_prints_its_report()
    {
        await BackUpAsync();
        JsonElement report = (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        MustHave(report, ["backups_checked", "bytes_read", "deep", "duration_seconds", "findings", "future_timestamps", "intact_again", "ok", "packs_checked", "requests"]);
        MustBeRequests(report.GetProperty("requests"));
        Assert.Equal(0, report.GetProperty("findings").GetArrayLength());
    }

    [LongRunning]
    [Fact]
    public async Task Verify_with_findings_is_the_error_document_too()
    {
        await BackUpAsync();
        File.Delete(Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).First(path => path.Contains("/packs/", StringComparison.Ordinal)));
        JsonElement report = (await CliProcess.RunAsync("verify", "--store", _workspace.Store, "--json")).Json;
        MustHave(report, ["backups_checked", "bytes_read", "deep", "duration_seconds", "error", "exit_code", "findings", "future_timestamps", "intact_again", "ok", "packs_checked", "requests"]);
        MustHave(report.GetProperty("findings")[0], ["backup_id", "key", "offset", "problem", "volume_length", "volume_offset"]);
    }

    [LongRunning]
    [Fact]
    public async Task Demo_prints_its_steps()
    {
        JsonElement tour = (await CliProcess.RunAsync("demo", "--size", "4MiB", "--directory", _workspace.PathOf("tours"), "--json")).MustSucceed().Json;
        MustHave(tour, ["directory", "ok", "steps", "volume_size"]);
        Assert.All(tour.GetProperty("steps").EnumerateArray(), step => MustHave(step, ["bytes_changed", "bytes_read", "bytes_stored", "duration_seconds", "step"]));
    }

    private async Task<JsonElement> BackUpAsync() => await _workspace.BackupAsync(_workspace.WriteVolume("volume.img", 300_000, seed: 1));

    private static void MustBeRequests(JsonElement requests) => MustHave(requests, ["delete", "get", "head", "list", "put"]);

    private static void MustHave(JsonElement document, string[] fields) =>
        Assert.Equal(fields.Order(), document.EnumerateObject().Select(property => property.Name).Order());
}
