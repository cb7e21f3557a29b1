using System.Text.Json;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>How a backup is named on the command line.</summary>
public sealed class BackupArgumentTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task The_whole_id_a_prefix_of_it_and_latest_are_the_same_backup()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        foreach (string name in (string[])[id, id.ToUpperInvariant(), id[..8], id[..4], "latest"])
        {
            JsonElement record = (await CliProcess.RunAsync("show", name, "--store", _workspace.Store, "--json")).MustSucceed().Json;
            Assert.Equal(id, record.GetProperty("id").GetString());
        }
    }

    [Theory]
    [InlineData("show")]
    [InlineData("delete")]
    [InlineData("export")]
    [InlineData("verify")]
    public async Task An_unknown_backup_is_not_found_by_any_command(string command)
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        (await CliProcess.RunAsync(command, "ffffffff", "--store", _workspace.Store)).MustFail(ExitCodes.NotFound, "ffffffff");
        (await CliProcess.RunAsync(command, "ffffffff", "--store", _workspace.Store, "--json")).MustFailWithJson(ExitCodes.NotFound);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    [Theory]
    [InlineData("show")]
    [InlineData("delete")]
    [InlineData("export")]
    [InlineData("verify")]
    public async Task An_ambiguous_prefix_is_wrong_usage_for_every_command(string command)
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        string twin = await ImportTwinAsync(id);
        Assert.Equal(id[..8], twin[..8]);

        (await CliProcess.RunAsync(command, id[..8], "--store", _workspace.Store)).MustFail(ExitCodes.WrongUsage, id[..8]);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume), backups: 2);
        await _workspace.MustStillHoldAsync(twin, File.ReadAllBytes(volume), backups: 2);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("")]
    [InlineData("no-such-thing")]
    public async Task What_is_no_id_at_all_is_refused(string name)
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        string id = await _workspace.BackupIdAsync(volume);
        CliResult result = await CliProcess.RunAsync("delete", name, "--store", _workspace.Store);
        Assert.InRange(result.ExitCode, ExitCodes.WrongUsage, ExitCodes.NotFound);
        result.MustFail(result.ExitCode);
        await _workspace.MustStillHoldAsync(id, File.ReadAllBytes(volume));
    }

    /// <summary>Imports a backup a second time, under an id that begins as its own does.</summary>
    private async Task<string> ImportTwinAsync(string id)
    {
        JsonElement exported = (await CliProcess.RunAsync("export", id, "--store", _workspace.Store)).MustSucceed().Json;
        string twin = id[..^1] + (id[^1] == '0' ? '1' : '0');
        string record = System.Text.Encoding.UTF8.GetString(exported.GetProperty("backup_url").GetBytesFromBase64());
        // Only the id itself: the manifest keeps the name under which it was written.
        record = System.Text.RegularExpressions.Regex.Replace(record, $"(\"id\"\\s*:\\s*\"){id}", $"${{1}}{twin}");
        string url = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(record));
        CliSettings settings = new() { Input = $$"""{"backup_service":"{{exported.GetProperty("backup_service").GetString()}}","backup_url":"{{url}}"}""" };
        JsonElement imported = (await CliProcess.RunAsync(settings, "import", "-", "--store", _workspace.Store, "--json")).MustSucceed().Json;
        return imported.GetProperty("id").GetString()!;
    }
}
