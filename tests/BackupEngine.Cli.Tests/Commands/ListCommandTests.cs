using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class ListCommandTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning]
    [Fact]
    public async Task The_newest_comes_first_one_line_each()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string full = await _workspace.BackupIdAsync(volume, "--volume-id", "vm-7", "--name", "sunday evening");
        string child = await _workspace.BackupIdAsync(volume, "--volume-id", "vm-7", "--incremental");

        CliResult result = (await CliProcess.RunAsync("list", "--store", _workspace.Store)).MustSucceed();
        string[] lines = result.Stdout.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All((string[])["ID", "NAME", "VOLUME", "STATUS", "TYPE", "SIZE", "STORED", "CREATED", "PARENT"], heading => Assert.Contains(heading, lines[0], StringComparison.Ordinal));
        Assert.All((string[])[child[..8], "vm-7", "available", "incremental", "195.3 KiB", full[..8]], cell => Assert.Contains(cell, lines[1], StringComparison.Ordinal));
        Assert.All((string[])[full[..8], "sunday evening", "vm-7", "available", "full"], cell => Assert.Contains(cell, lines[2], StringComparison.Ordinal));
    }

    [LongRunning]
    [Fact]
    public async Task One_volume_can_be_picked()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        await _workspace.BackupIdAsync(volume, "--volume-id", "a");
        string b = await _workspace.BackupIdAsync(volume, "--volume-id", "b");
        JsonElement list = (await CliProcess.RunAsync("list", "--store", _workspace.Store, "--volume-id", "b", "--json")).MustSucceed().Json;
        Assert.Equal(b, Assert.Single(list.EnumerateArray()).GetProperty("id").GetString());
    }

    [LongRunning]
    [Fact]
    public async Task An_empty_repository_lists_nothing()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        (await CliProcess.RunAsync("delete", id, "--store", _workspace.Store)).MustSucceed();
        Assert.Equal("No backups.\n", (await CliProcess.RunAsync("list", "--store", _workspace.Store)).MustSucceed().Stdout);
        Assert.Equal(0, (await CliProcess.RunAsync("list", "--store", _workspace.Store, "--json")).MustSucceed().Json.GetArrayLength());
    }

    [LongRunning]
    [Fact]
    public async Task What_markup_would_be_in_a_name_is_shown_as_it_is()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        await _workspace.BackupIdAsync(volume, "--name", "[red]x[/] [");
        Assert.Contains("[red]x[/] [", (await CliProcess.RunAsync("list", "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
        Assert.Contains("[red]x[/] [", (await CliProcess.RunAsync("show", "latest", "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
    }

    [LongRunning]
    [Fact]
    public async Task A_name_cannot_drive_the_terminal()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        await _workspace.BackupIdAsync(volume, "--name", "a\u001b[31mb", "--description", "c\nd");
        Assert.Contains("a?[31mb", (await CliProcess.RunAsync("list", "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
        CliResult shown = (await CliProcess.RunAsync("show", "latest", "--store", _workspace.Store)).MustSucceed();
        Assert.DoesNotContain('\u001b', shown.Stdout);
        Assert.Contains("c?d", shown.Stdout, StringComparison.Ordinal);
    }
}
