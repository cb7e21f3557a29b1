using System.Diagnostics;
using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>The program on a terminal, which <c>script</c> of util-linux plays.</summary>
public sealed class TerminalTests : IDisposable
{
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Progress_is_drawn_on_a_terminal_and_the_result_stays()
    {
        string volume = _workspace.WriteVolume("volume.img", 32 << 20, seed: 1);
        string screen = await RunOnTerminalAsync($"'{CliProcess.ProgramPath}' backup '{volume}' --store '{_workspace.Store}'");
        Assert.Contains("%", screen, StringComparison.Ordinal);
        Assert.Contains("\u001b[?25h", screen, StringComparison.Ordinal);
        Assert.Contains("Backed up ", screen[screen.LastIndexOf('%')..], StringComparison.Ordinal);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Progress_does_not_mix_with_the_document_on_stdout()
    {
        string volume = _workspace.WriteVolume("volume.img", 32 << 20, seed: 1);
        string output = _workspace.PathOf("output.json");
        string screen = await RunOnTerminalAsync($"'{CliProcess.ProgramPath}' backup '{volume}' --store '{_workspace.Store}' --json > '{output}'");
        Assert.Contains("%", screen, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(output));
        Assert.Equal(32 << 20, document.RootElement.GetProperty("volume_size").GetInt64());
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_list_fits_the_terminal_and_cuts_names_for_it()
    {
        string volume = _workspace.WriteVolume("volume.img", 200_000, seed: 1);
        await _workspace.BackupIdAsync(volume, "--name", new string('n', 200));
        string screen = await RunOnTerminalAsync($"stty cols 80; '{CliProcess.ProgramPath}' list --store '{_workspace.Store}'");
        string[] lines = [.. screen.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0)];
        Assert.Equal(2, lines.Length);
        Assert.InRange(lines[1].Length, 60, 80);
        Assert.Contains("nnn… ", lines[1], StringComparison.Ordinal);
    }

    private static async Task<string> RunOnTerminalAsync(string command)
    {
        Requires.Linux("A terminal made by script(1)");
        string script = Requires.Command("script");
        ProcessStartInfo start = new(script, ["-qec", command, "/dev/null"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment["TERM"] = "xterm";
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("script did not start.");
        process.StandardInput.Close();
        string screen = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, screen);
        return screen;
    }
}
