using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Every command that reads a store, on a store that is not there or is none.</summary>
public sealed class MissingStoreTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public static TheoryData<string> Readers => ["list", "show latest", "delete latest", "export latest", "verify", "verify latest --deep", "restore latest --to TARGET"];

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_missing_directory_is_not_found_and_not_made(string command)
    {
        CliResult result = await CliProcess.RunAsync([.. command.Split(' '), "--store", _workspace.Store]);
        result.MustFail(ExitCodes.NotFound, _workspace.Store);
        Assert.False(Directory.Exists(_workspace.Store));
    }

    [LongRunning]
    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_directory_without_a_repository_is_not_found_and_left_as_it_is(string command)
    {
        Directory.CreateDirectory(_workspace.Store);
        File.WriteAllText(Path.Combine(_workspace.Store, "letter.txt"), "dear reader");
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);
        CliResult result = await CliProcess.RunAsync([.. command.Split(' '), "--store", _workspace.Store]);
        result.MustFail(ExitCodes.NotFound, _workspace.Store);
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
    }

    [LongRunning]
    [Fact]
    public async Task An_import_needs_a_repository_too()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        await _workspace.BackupIdAsync(volume);
        CliResult export = (await CliProcess.RunAsync("export", "latest", "--store", _workspace.Store)).MustSucceed();
        CliSettings settings = new() { Input = export.Stdout };
        (await CliProcess.RunAsync(settings, "import", "-", "--store", _workspace.PathOf("elsewhere"))).MustFail(ExitCodes.NotFound, _workspace.PathOf("elsewhere"));
    }

    [Fact]
    public async Task Backups_do_not_mix_with_other_files_of_a_directory()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        Directory.CreateDirectory(_workspace.Store);
        File.WriteAllText(Path.Combine(_workspace.Store, "letter.txt"), "dear reader");
        IReadOnlyList<string> before = Workspace.FilesOf(_workspace.Store);
        (await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store)).MustFail(ExitCodes.Failed, _workspace.Store);
        Assert.Equal(before, Workspace.FilesOf(_workspace.Store));
    }
}
