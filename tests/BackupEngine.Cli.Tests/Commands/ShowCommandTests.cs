using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class ShowCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task A_backup_is_shown_a_line_for_each_thing()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string full = await _workspace.BackupIdAsync(volume, "--name", "sunday evening", "--volume-id", "vm-7");
        string child = await _workspace.BackupIdAsync(volume, "--incremental", "--volume-id", "vm-7");

        Dictionary<string, string> shown = Parse((await CliProcess.RunAsync("show", full[..8], "--store", _workspace.Store)).MustSucceed().Stdout);
        Assert.Equal(full, shown["id"]);
        Assert.Equal("sunday evening", shown["name"]);
        Assert.Equal("available", shown["status"]);
        Assert.Equal("full", shown["type"]);
        Assert.Equal("yes", shown["dependents"]);
        Assert.Equal("vm-7", shown["volume"]);
        Assert.Equal("195.3 KiB (200000 bytes)", shown["volume size"]);
        Assert.DoesNotContain("parent", shown.Keys);

        shown = Parse((await CliProcess.RunAsync("show", child, "--store", _workspace.Store)).MustSucceed().Stdout);
        Assert.Equal("incremental", shown["type"]);
        Assert.Equal(full, shown["parent"]);
        Assert.Equal("none", shown["dependents"]);
        Assert.DoesNotContain("name", shown.Keys);
    }

    private static Dictionary<string, string> Parse(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(line => line[..19].TrimEnd(), line => line[19..]);
}
