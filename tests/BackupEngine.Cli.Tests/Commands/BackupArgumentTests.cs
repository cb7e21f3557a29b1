using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>How a backup is named on the command line.</summary>
public sealed class BackupArgumentTests(StoreWithOneBackup given) : IClassFixture<StoreWithOneBackup>
{
    private static readonly string[] _commands = ["show", "delete", "export", "verify"];

    [LongRunning]
    [Fact]
    public async Task The_whole_id_a_prefix_of_it_and_latest_are_the_same_backup()
    {
        string id = given.BackupId;
        foreach (string name in (string[])[id, id.ToUpperInvariant(), id[..8], id[..4], "latest"])
        {
            JsonElement record = (await CliProcess.RunAsync("show", name, "--store", given.Store, "--json")).MustSucceed().Json;
            Assert.Equal(id, record.GetProperty("id").GetString());
        }
    }

    [LongRunning]
    [Fact]
    public async Task An_unknown_backup_is_not_found_by_any_command()
    {
        foreach (string command in _commands)
            (await CliProcess.RunAsync(command, "ffffffff", "--store", given.Store)).MustFail(ExitCodes.NotFound, "ffffffff");
        (await CliProcess.RunAsync("show", "ffffffff", "--store", given.Store, "--json")).MustFailWithJson(ExitCodes.NotFound, "ffffffff");
        given.MustBeUntouched();
    }

    [LongRunning]
    [Fact]
    public async Task An_ambiguous_prefix_is_wrong_usage_for_every_command()
    {
        using Workspace workspace = new();
        string volume = workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await workspace.BackupIdAsync(volume);
        string twin = await ImportTwinAsync(id, workspace.Store);
        Assert.Equal(id[..8], twin[..8]);

        IReadOnlyList<string> before = Workspace.FilesOf(workspace.Store);
        foreach (string command in _commands)
            (await CliProcess.RunAsync(command, id[..8], "--store", workspace.Store)).MustFail(ExitCodes.WrongUsage, id[..8]);
        Assert.Equal(before, Workspace.FilesOf(workspace.Store));
        await workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume), backups: 2);
        await workspace.MustStillHoldAsync(twin, File.ReadAllBytes(volume), backups: 2);
    }

    [LongRunning]
    [Theory]
    [InlineData("abc", ExitCodes.NotFound)]
    [InlineData("", ExitCodes.WrongUsage)]
    [InlineData("no-such-thing", ExitCodes.NotFound)]
    public async Task What_is_no_id_at_all_is_refused(string name, int exitCode)
    {
        (await CliProcess.RunAsync("delete", name, "--store", given.Store)).MustFail(exitCode, name);
        given.MustBeUntouched();
    }

    [Fact]
    public async Task Too_few_characters_are_never_enough()
    {
        (await CliProcess.RunAsync("delete", given.BackupId[..3], "--store", given.Store)).MustFail(ExitCodes.WrongUsage, given.BackupId[..3]);
        given.MustBeUntouched();
    }

    /// <summary>Imports a backup a second time, under an id that begins as its own does.</summary>
    private static async Task<string> ImportTwinAsync(string id, string store)
    {
        JsonElement exported = (await CliProcess.RunAsync("export", id, "--store", store)).MustSucceed().Json;
        string twin = id[..^1] + (id[^1] == '0' ? '1' : '0');
        string record = Encoding.UTF8.GetString(exported.GetProperty("backup_url").GetBytesFromBase64());
        // Only the id itself: the manifest keeps the name under which it was written.
        record = Regex.Replace(record, $"(\"id\"\\s*:\\s*\"){id}", $"${{1}}{twin}");
        string url = Convert.ToBase64String(Encoding.UTF8.GetBytes(record));
        CliSettings settings = new() { Input = $$"""{"backup_service":"{{exported.GetProperty("backup_service").GetString()}}","backup_url":"{{url}}"}""" };
        JsonElement imported = (await CliProcess.RunAsync(settings, "import", "-", "--store", store, "--json")).MustSucceed().Json;
        return imported.GetProperty("id").GetString()!;
    }
}
