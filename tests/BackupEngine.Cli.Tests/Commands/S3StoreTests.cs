using System.Text.Json;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>The program against a real S3 server.</summary>
public sealed class S3StoreTests : IAsyncLifetime
{
    private const int Size = 700_001;
    private S3Place _s3 = null!;
    private Workspace _workspace = null!;

    private string Target => _workspace.PathOf("target.img");

    public async ValueTask InitializeAsync()
    {
        // The server first: without one the test ends here, and nobody would remove the workspace.
        _s3 = await S3Place.NewAsync();
        _workspace = new Workspace();
    }

    public async ValueTask DisposeAsync()
    {
        await _s3.DisposeAsync();
        _workspace.Dispose();
    }

    [Fact]
    public async Task A_chain_goes_to_a_bucket_that_is_made_for_it_and_comes_back()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        byte[] first = File.ReadAllBytes(volume);
        JsonElement full = (await RunAsync("backup", volume, "--json")).MustSucceed().Json;
        Assert.True(await _s3.ExistsAsync());
        Workspace.Change(volume, offset: 300_000, length: 1000, seed: 2);
        JsonElement child = (await RunAsync("backup", volume, "--incremental", "--json")).MustSucceed().Json;

        (await RunAsync("restore", full.GetProperty("id").GetString()!, "--to", Target)).MustSucceed();
        Assert.Equal(first, File.ReadAllBytes(Target));
        JsonElement restored = (await RunAsync("restore", "latest", "--to", Target, "--in-place", "differential", "--json")).MustSucceed().Json;
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(Target));
        Assert.True(restored.GetProperty("requests").GetProperty("get").GetInt64() > 0);

        Assert.Equal(2, (await RunAsync("list", "--json")).MustSucceed().Json.GetArrayLength());
        Assert.Equal(Store(child), _s3.Store);
        (await RunAsync("verify", "--deep")).MustSucceed();
        (await RunAsync("delete", full.GetProperty("id").GetString()!)).MustFail(ExitCodes.RefusedByState);
        (await RunAsync("delete", child.GetProperty("id").GetString()!)).MustSucceed();
        (await RunAsync("delete", full.GetProperty("id").GetString()!)).MustSucceed();
        Assert.Equal(["disks/backup-engine.json"], await _s3.KeysAsync());
    }

    [Theory]
    [InlineData("list")]
    [InlineData("show latest")]
    [InlineData("delete latest")]
    [InlineData("export latest")]
    [InlineData("verify")]
    [InlineData("restore latest --to TARGET")]
    public async Task A_wrong_bucket_is_not_found_and_not_made(string command)
    {
        (await RunAsync(command.Split(' '))).MustFail(ExitCodes.NotFound, _s3.Bucket, "--store");
        Assert.False(await _s3.ExistsAsync());
    }

    [Fact]
    public async Task Without_permission_to_create_a_missing_bucket_is_not_found()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await RunAsync("backup", volume, "--no-create")).MustFail(ExitCodes.NotFound, _s3.Bucket, "--store");
        Assert.False(await _s3.ExistsAsync());
    }

    [Fact]
    public async Task A_bucket_without_a_repository_is_not_found()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await RunAsync("backup", volume)).MustSucceed();
        (await CliProcess.RunAsync(_s3.Settings, "list", "--store", $"s3://{_s3.Bucket}/another")).MustFail(ExitCodes.NotFound, "another");
    }

    [Theory]
    [InlineData("list")]
    [InlineData("backup VOLUME")]
    public async Task A_wrong_secret_or_unknown_key_is_refused_in_one_line_without_the_secret(string command)
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await RunAsync("backup", volume)).MustSucceed();
        IReadOnlyList<string> before = await _s3.KeysAsync();

        string[] arguments = [.. command.Replace("VOLUME", volume, StringComparison.Ordinal).Split(' '), "--store", _s3.Store];
        string accessKey = _s3.Settings.Environment["AWS_ACCESS_KEY_ID"]!;
        CliResult wrongSecret = await CliProcess.RunAsync(_s3.With(accessKey, "not-the-secret"), arguments);
        wrongSecret.MustFail(ExitCodes.Failed, _s3.Bucket, "AWS_SECRET_ACCESS_KEY");
        Assert.DoesNotContain("not-the-secret", wrongSecret.Stderr, StringComparison.Ordinal);
        (await CliProcess.RunAsync(_s3.With("nobody", "nothing"), arguments)).MustFail(ExitCodes.Failed, _s3.Bucket);
        Assert.Equal(before, await _s3.KeysAsync());
    }

    [Fact]
    public async Task A_cancelled_backup_leaves_no_object_behind()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await RunAsync("backup", volume)).MustSucceed();
        IReadOnlyList<string> before = await _s3.KeysAsync();

        string large = _workspace.WriteTextVolume("large.img", 256 << 20);
        using CliProcess backup = CliProcess.Start(_s3.Settings, "backup", large, "--store", _s3.Store, "--compression", "zstd:22", "--workers", "1");
        while (!(await _s3.KeysAsync()).Any(key => key.Contains("/intents/", StringComparison.Ordinal)))
            Assert.False(backup.HasExited, "The program ended before it could be interrupted.");
        backup.Signal(CliProcess.Interrupt);

        (await backup.WaitAsync()).MustFail(ExitCodes.Cancelled, "cancelled");
        Assert.Equal(before, await _s3.KeysAsync());
        (await RunAsync("restore", "latest", "--to", Target)).MustSucceed();
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(Target));
    }

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_s3.Settings, [.. arguments, "--store", _s3.Store]);

    private static string? Store(JsonElement record) => record.GetProperty("container").GetString();
}
