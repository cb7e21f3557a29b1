using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.S3;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>'check-store', and what other commands do on a store that it finds unsafe.</summary>
public sealed class CheckStoreCommandTests : IAsyncLifetime
{
    private readonly Workspace _workspace = new();
    private readonly string _bucket = S3Server.NewBucketName();
    private AwkwardS3Server _server = null!;

    private string Store => $"s3://{_bucket}/disks";

    private CliSettings Settings => With(null);

    public async ValueTask InitializeAsync() => _server = await AwkwardS3Server.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _workspace.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task CheckStore_DirectoryWithRepository_IsSafeAndChangesNothing()
    {
        await _workspace.BackupAsync(_workspace.WriteVolume("volume.img", 100_000, seed: 1));
        string[] before = [.. Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Order()];
        CliResult table = (await CliProcess.RunAsync("check-store", _workspace.Store)).MustSucceed();
        Assert.Contains("holds a repository", table.Stdout, StringComparison.Ordinal);
        Assert.Contains("put_if_absent", table.Stdout, StringComparison.Ordinal);
        Assert.Contains("Not checked:", table.Stdout, StringComparison.Ordinal);
        JsonElement report = (await CliProcess.RunAsync("check-store", _workspace.Store, "--json")).MustSucceed().Json;
        Assert.True(report.GetProperty("ok").GetBoolean());
        Assert.True(report.GetProperty("holds_repository").GetBoolean());
        Assert.All(report.GetProperty("checks").EnumerateArray(), check => Assert.Equal("supported", check.GetProperty("result").GetString()));
        Assert.NotEqual(0, report.GetProperty("not_checked").GetArrayLength());
        Assert.Equal(before, Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Order());
    }

    [Fact]
    public async Task CheckStore_MissingDirectory_IsNotFoundAndNotMade()
    {
        (await CliProcess.RunAsync("check-store", _workspace.PathOf("missing"))).MustFail(ExitCodes.NotFound, "missing");
        Assert.False(Directory.Exists(_workspace.PathOf("missing")));
    }

    [Fact]
    public async Task CheckStore_ServerThatIgnoresConditions_FailsWithItsNameAndLeavesNothing()
    {
        await MakeBucketAsync();
        _server.Behavior = new AwkwardS3Behavior { IgnoresIfNoneMatch = true, Tags = AwkwardTags.UnquotedOnly, RejectsBatchDelete = true };
        CliResult table = await CliProcess.RunAsync(Settings, "check-store", Store);
        Assert.Equal(ExitCodes.RefusedByState, table.ExitCode);
        Assert.Contains("missing", table.Stdout, StringComparison.Ordinal);
        Assert.Contains("Not safe", table.Stdout, StringComparison.Ordinal);
        Assert.Contains(_bucket, table.Stderr, StringComparison.Ordinal);
        Assert.Contains("If-None-Match", table.Stderr, StringComparison.Ordinal);
        CliResult result = await CliProcess.RunAsync(Settings, "check-store", Store, "--json");
        Assert.Equal(ExitCodes.RefusedByState, result.ExitCode);
        Assert.False(result.Json.GetProperty("ok").GetBoolean());
        Assert.Equal(ExitCodes.RefusedByState, result.Json.GetProperty("exit_code").GetInt32());
        Assert.Equal("unquoted", result.Json.GetProperty("properties").GetProperty("if_match_tags").GetString());
        Assert.Equal("no", result.Json.GetProperty("properties").GetProperty("batch_delete").GetString());
        Assert.Empty(_server.Keys(_bucket));
    }

    [Fact]
    public async Task Backup_ServerThatIgnoresConditions_IsRefusedUnlessSingleWriter()
    {
        _server.Behavior = new AwkwardS3Behavior { IgnoresIfNoneMatch = true, IgnoresIfMatch = true };
        string volume = _workspace.WriteVolume("volume.img", 100_000, seed: 1);
        (await CliProcess.RunAsync(Settings, "backup", volume, "--store", Store)).MustFail(ExitCodes.RefusedByState, "single-writer mode", "If-None-Match");
        Assert.Empty(_server.Keys(_bucket));
        (await CliProcess.RunAsync(With("maybe"), "backup", volume, "--store", Store)).MustFail(ExitCodes.WrongUsage, "BACKUP_ENGINE_SINGLE_WRITER");
        (await CliProcess.RunAsync(With("true"), "backup", volume, "--store", Store)).MustSucceed();
        (await CliProcess.RunAsync(Settings, "backup", volume, "--store", Store, "--incremental", "--single-writer")).MustSucceed();
        (await CliProcess.RunAsync(Settings, "prune", "--store", Store, "--keep-last", "1", "--single-writer")).MustFail(ExitCodes.RefusedByState, "A prune is not possible in single-writer mode");
        (await CliProcess.RunAsync(Settings, "delete", "latest", "--store", Store)).MustFail(ExitCodes.RefusedByState, "single-writer mode");
        (await CliProcess.RunAsync(Settings, "delete", "latest", "--store", Store, "--single-writer")).MustSucceed();
        (await CliProcess.RunAsync(Settings, "restore", "latest", "--store", Store, "--to", _workspace.PathOf("restored.img"))).MustSucceed();
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(_workspace.PathOf("restored.img")));
    }

    private async Task MakeBucketAsync()
    {
        using HttpClient http = new();
        using HttpResponseMessage made = await http.PutAsync(new Uri(_server.Endpoint, $"/{_bucket}"), null);
        made.EnsureSuccessStatusCode();
    }

    private CliSettings With(string? singleWriter) => new()
    {
        Environment = new Dictionary<string, string?>
        {
            ["AWS_ENDPOINT_URL_S3"] = _server.Endpoint.ToString(),
            ["AWS_ACCESS_KEY_ID"] = "awkward",
            ["AWS_SECRET_ACCESS_KEY"] = "awkward-secret",
            ["AWS_REGION"] = "us-east-1",
            ["AWS_PROFILE"] = null,
            ["BACKUP_ENGINE_SINGLE_WRITER"] = singleWriter,
        },
    };
}
