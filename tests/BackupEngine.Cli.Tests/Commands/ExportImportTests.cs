using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class ExportImportTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task A_record_comes_back_where_only_the_data_was_left()
    {
        (string id, byte[] content, string exported) = await ExportAsync();
        string record = Assert.Single(RecordFiles());
        File.Delete(record);
        Assert.Equal(0, (await CliProcess.RunAsync("list", "--store", _workspace.Store, "--json")).MustSucceed().Json.GetArrayLength());

        File.WriteAllText(_workspace.PathOf("record.json"), exported);
        CliResult imported = (await CliProcess.RunAsync("import", _workspace.PathOf("record.json"), "--store", _workspace.Store)).MustSucceed();
        Assert.Contains(id, imported.Stdout, StringComparison.Ordinal);
        await _workspace.MustStillHoldAsync(id, content);
    }

    [LongRunning]
    [Theory]
    [InlineData("{0}")]
    [InlineData("\uFEFF{0}")]
    [InlineData("\n  {{\"backup-record\": {0} }}\n")]
    public async Task A_record_may_be_bare_or_wrapped_and_come_by_stdin(string form)
    {
        (string id, byte[] content, string exported) = await ExportAsync();
        File.Delete(Assert.Single(RecordFiles()));
        CliSettings settings = new() { Input = string.Format(System.Globalization.CultureInfo.InvariantCulture, form, exported) };
        JsonElement record = (await CliProcess.RunAsync(settings, "import", "-", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        Assert.Equal(id, record.GetProperty("id").GetString());
        await _workspace.MustStillHoldAsync(id, content);
    }

    [LongRunning]
    [Fact]
    public async Task A_backup_that_is_here_already_is_not_imported_over_itself()
    {
        (string id, byte[] content, string exported) = await ExportAsync();
        (await CliProcess.RunAsync(new CliSettings { Input = exported }, "import", "-", "--store", _workspace.Store)).MustFail(ExitCodes.RefusedByState, id);
        await _workspace.MustStillHoldAsync(id, content);
    }

    [LongRunning]
    [Fact]
    public async Task A_record_whose_data_is_not_here_is_refused()
    {
        (_, _, string exported) = await ExportAsync();
        string volume = _workspace.WriteVolume("other.img", 1000, seed: 3);
        string elsewhere = _workspace.PathOf("elsewhere");
        (await CliProcess.RunAsync("backup", volume, "--store", elsewhere)).MustSucceed();
        IReadOnlyList<string> before = Workspace.FilesOf(elsewhere);
        (await CliProcess.RunAsync(new CliSettings { Input = exported }, "import", "-", "--store", elsewhere)).MustFail(ExitCodes.Failed);
        Assert.Equal(before, Workspace.FilesOf(elsewhere));
    }

    [LongRunning]
    [Fact]
    public async Task A_missing_file_is_not_found()
    {
        await ExportAsync();
        (await CliProcess.RunAsync("import", _workspace.PathOf("none.json"), "--store", _workspace.Store)).MustFail(ExitCodes.NotFound, _workspace.PathOf("none.json"));
    }

    private async Task<(string Id, byte[] Content, string Exported)> ExportAsync()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        CliResult export = (await CliProcess.RunAsync("export", id, "--store", _workspace.Store)).MustSucceed();
        return (id, File.ReadAllBytes(volume), export.Stdout.TrimEnd('\n'));
    }

    private IEnumerable<string> RecordFiles() =>
        Directory.EnumerateFiles(_workspace.Store, "*.json", SearchOption.AllDirectories).Where(path => path.Contains("/records/", StringComparison.Ordinal));
}
