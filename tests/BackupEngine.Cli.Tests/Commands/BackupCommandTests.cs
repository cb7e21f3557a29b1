using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class BackupCommandTests : IDisposable
{
    private const int Size = (1 << 20) + 777;
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task A_full_backup_says_what_it_made()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        CliResult result = (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store)).MustSucceed();
        string[] lines = result.Stdout.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains(volume, lines[0], StringComparison.Ordinal);
        Assert.Contains("full backup ", lines[0], StringComparison.Ordinal);
        Assert.Contains("stored 1.0 MiB", lines[1], StringComparison.Ordinal);
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_says_which_parent_it_used()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string full = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 70_000, length: 10, seed: 2);
        CliResult result = (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental")).MustSucceed();
        Assert.Contains($"parent {full}", result.Stdout, StringComparison.Ordinal);
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_reads_all_and_stores_only_what_changed()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string full = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 70_000, length: 10, seed: 2);
        JsonElement record = await _workspace.BackupAsync(volume, "--incremental");
        Assert.Equal(full, record.GetProperty("parent_id").GetString());
        Assert.True(record.GetProperty("is_incremental").GetBoolean());
        Assert.Equal(Size, record.GetProperty("bytes_read").GetInt64());
        Assert.Equal(65536, record.GetProperty("bytes_changed").GetInt64());
        Assert.InRange(record.GetProperty("bytes_stored").GetInt64(), 65536, 80_000);
    }

    [LongRunning]
    [Fact]
    public async Task A_parent_can_be_named_by_the_first_characters_of_its_id()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string first = await _workspace.BackupIdAsync(volume);
        await _workspace.BackupIdAsync(volume);
        JsonElement record = await _workspace.BackupAsync(volume, "--parent", first[..13]);
        Assert.Equal(first, record.GetProperty("parent_id").GetString());
    }

    [LongRunning]
    [Fact]
    public async Task Everything_that_can_be_asked_for_is_in_the_record()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        JsonElement record = await _workspace.BackupAsync(
            volume,
            ["--volume-id", "vm-7", "--name", "sunday", "--description", "before the move", "--compression", "zstd:3", "--chunk-size", "16KiB", "--hash", "sha256", "--workers", "1", "--max-memory", "64MiB"]);
        Assert.Equal("vm-7", record.GetProperty("volume_id").GetString());
        Assert.Equal("sunday", record.GetProperty("name").GetString());
        Assert.Equal("before the move", record.GetProperty("description").GetString());
        Assert.Equal("zstd:3", record.GetProperty("compression").GetString());
        Assert.Equal(16384, record.GetProperty("chunk_size").GetInt32());
        Assert.Equal("sha256", record.GetProperty("hash").GetString());
        Assert.Equal(Size, record.GetProperty("volume_size").GetInt64());
    }

    [LongRunning]
    [Fact]
    public async Task A_volume_keeps_its_id_however_its_path_is_written()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        Directory.CreateDirectory(_workspace.PathOf("x"));
        File.CreateSymbolicLink(_workspace.PathOf("link.img"), volume);
        JsonElement plain = await _workspace.BackupAsync(volume);
        JsonElement dotted = await _workspace.BackupAsync(_workspace.PathOf("./x/../volume.img"));
        JsonElement linked = await _workspace.BackupAsync(_workspace.PathOf("link.img"));
        string? id = plain.GetProperty("volume_id").GetString();
        Assert.True(Guid.TryParse(id, out _));
        Assert.Equal(id, dotted.GetProperty("volume_id").GetString());
        Assert.Equal(id, linked.GetProperty("volume_id").GetString());
    }

    [LongRunning]
    [Fact]
    public async Task Only_the_extents_that_are_said_to_have_changed_are_read()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string parent = await _workspace.BackupIdAsync(volume);
        Workspace.Change(volume, offset: 200_000, length: 10, seed: 2);
        byte[] expected = File.ReadAllBytes(volume);
        File.WriteAllText(_workspace.PathOf("extents"), "199900 200\n");

        JsonElement record = await _workspace.BackupAsync(volume, "--parent", parent, "--changed-extents", _workspace.PathOf("extents"));
        Assert.InRange(record.GetProperty("bytes_read").GetInt64(), 200, 131072);
        await _workspace.MustStillHoldAsync(record.GetProperty("id").GetString()!, expected, backups: 2);
    }

    [LongRunning]
    [Theory]
    [InlineData("0 nonsense\n")]
    [InlineData("-5 10\n")]
    [InlineData("5\n")]
    public async Task Changed_extents_that_are_none_are_refused_by_file(string content)
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string parent = await _workspace.BackupIdAsync(volume);
        string extents = _workspace.PathOf("extents");
        File.WriteAllText(extents, content);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--parent", parent, "--changed-extents", extents)).MustFail(ExitCodes.Failed, extents);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--parent", parent, "--changed-extents", _workspace.PathOf("none"))).MustFail(ExitCodes.NotFound, _workspace.PathOf("none"));
    }

    [Fact]
    public async Task A_missing_volume_is_named_and_leaves_no_repository_behind()
    {
        (await CliProcess.RunAsync("backup", _workspace.PathOf("missing.img"), "--store", _workspace.Store)).MustFail(ExitCodes.NotFound, _workspace.PathOf("missing.img"));
        Assert.False(Directory.Exists(_workspace.Store));
    }

    [Fact]
    public async Task A_directory_is_no_volume()
    {
        (await CliProcess.RunAsync("backup", _workspace.PathOf(""), "--store", _workspace.Store)).MustFail(ExitCodes.Failed, "directory");
        Assert.False(Directory.Exists(_workspace.Store));
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_without_any_parent_is_refused()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental", "--json")).MustFailWithJson(ExitCodes.RefusedByState);
        string id = await _workspace.BackupIdAsync(volume);
        string other = _workspace.WriteVolume("other.img", Size, seed: 2);
        (await CliProcess.RunAsync("backup", other, "--store", _workspace.Store, "--incremental")).MustFail(ExitCodes.RefusedByState);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Fact]
    public async Task An_unknown_parent_is_not_found()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--parent", "ffffffff")).MustFail(ExitCodes.NotFound, "ffffffff");
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Fact]
    public async Task An_incremental_cannot_change_what_its_chain_agreed_on()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental", "--chunk-size", "4KiB")).MustFail(ExitCodes.RefusedByState);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--incremental", "--hash", "sha256")).MustFail(ExitCodes.RefusedByState);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [LongRunning]
    [Fact]
    public async Task Without_permission_to_create_a_missing_store_is_not_found()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--no-create")).MustFail(ExitCodes.NotFound, _workspace.Store);
        Assert.False(Directory.Exists(_workspace.Store));

        Directory.CreateDirectory(_workspace.Store);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--no-create")).MustSucceed();
    }

    [Fact]
    public async Task A_file_cannot_be_a_store()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        (await CliProcess.RunAsync("backup", volume, "--store", volume)).MustFail(ExitCodes.Failed, volume);
    }

    [LongRunning]
    [Fact]
    public async Task Verbose_logs_to_stderr_and_leaves_stdout_to_the_document()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        CliResult result = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--json", "--verbose");
        Assert.Equal(ExitCodes.Done, result.ExitCode);
        Assert.NotEqual("", result.Stderr);
        Assert.Equal(JsonValueKind.Object, result.Json.ValueKind);
    }

    [Fact]
    public async Task Verbose_shows_where_an_error_came_from()
    {
        CliResult result = await CliProcess.RunAsync("backup", _workspace.PathOf("missing.img"), "--store", _workspace.Store, "--verbose");
        Assert.Equal(ExitCodes.NotFound, result.ExitCode);
        Assert.Contains("\n   at ", result.Stderr, StringComparison.Ordinal);
    }
}
