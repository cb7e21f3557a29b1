using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class DemoCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    private string Directory => _workspace.PathOf("tours");

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task The_tour_goes_to_its_end_and_cleans_up()
    {
        CliResult result = (await CliProcess.RunAsync("demo", "--size", "16MiB", "--directory", Directory)).MustSucceed();
        Assert.Contains("Every restored byte is what it was.", result.Stdout, StringComparison.Ordinal);
        Assert.All((string[])["STEP", "TIME", "READ", "CHANGED", "STORED", "SPEED"], heading => Assert.Contains(heading, result.Stdout, StringComparison.Ordinal));
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(Directory));
    }

    [LongRunning]
    [Fact]
    public async Task The_commands_that_it_shows_work()
    {
        CliResult result = (await CliProcess.RunAsync("demo", "--size", "8MiB", "--directory", Directory, "--keep")).MustSucceed();
        string kept = Assert.Single(System.IO.Directory.EnumerateDirectories(Directory));
        string original = Path.Combine(kept, "original.img");
        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(Path.Combine(kept, "full.img")));
        File.Delete(Path.Combine(kept, "full.img"));
        File.Delete(Path.Combine(kept, "incremental.img"));

        string[] commands = [.. result.Stdout.Split('\n').Where(line => line.Contains("$ backup-engine ", StringComparison.Ordinal)).Select(line => line.Split("$ backup-engine ")[1])];
        Assert.Equal(6, commands.Length);
        CliSettings settings = new() { WorkingDirectory = kept };
        foreach (string command in commands)
            (await CliProcess.RunAsync(settings, command.Split(' '))).MustSucceed();
        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(Path.Combine(kept, "full.img")));
    }

    [LongRunning]
    [Fact]
    public async Task A_script_gets_one_document()
    {
        JsonElement tour = (await CliProcess.RunAsync("demo", "--size", "4MiB", "--directory", Directory, "--json")).MustSucceed().Json;
        Assert.True(tour.GetProperty("ok").GetBoolean());
        Assert.Equal(4 << 20, tour.GetProperty("volume_size").GetInt64());
        Assert.Equal(11, tour.GetProperty("steps").GetArrayLength());
        Assert.Empty(System.IO.Directory.EnumerateFileSystemEntries(Directory));
    }
}
