using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Cli.Tests.Docs;

/// <summary>The commands that documents show are commands of the program; their scripts run, and their JSON can be parsed.</summary>
public sealed partial class CommandsInDocumentsTests
{
    /// <summary>
    /// Replaces commands that other jobs run: the SDK's commands, the service, its client, its acceptance tests, and the installation of their packages. A delete may be
    /// refused, as the text beside it says.
    /// </summary>
    private const string Surroundings = """
        set -euo pipefail
        dotnet() { :; }
        tests/run() { :; }
        tests/acceptance/tempest() { :; }
        apt() { :; }
        cinder() { :; }
        dotnet-counters() { until [ $# = 0 ] || [ "$1" = -- ]; do shift; done; "${@:2}"; }
        losetup() { flock /dev/loop-control losetup "$@"; }
        backup-engine() {
          [ "$1" != serve ] || return 0
          command backup-engine "$@" || { status=$?; [ "$1 $status" = "delete 4" ]; }
        }

        """;

    /// <summary>What a document takes to be there, besides a volume.</summary>
    private static readonly Dictionary<string, string> _before = new()
    {
        ["docs/operations.md"] = """
            backup-engine backup disk.img --store backups --volume-id data
            backup-engine backup disk.img --store s3://bucket/prefix --volume-id data

            """,
    };

    private static readonly string _root = FindRoot();

    public static TheoryData<string> Commands =>
        [.. Documents.SelectMany(path => Blocks(path, "(?:sh)?")).SelectMany(block => Command().Matches(block).Select(match => match.Groups[1].Value.Trim())).Distinct()];

    public static TheoryData<string> WithScripts => [.. Documents.Where(path => Blocks(path, "sh").Any())];

    public static TheoryData<string> JsonTexts => [.. Documents.SelectMany(path => Blocks(path, "json"))];

    private static IEnumerable<string> Documents =>
        Directory.EnumerateFiles(_root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "docs"), "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "src"), "README.md", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(_root, path));

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_of_a_document_is_understood(string command) =>
        Assert.Empty(new BackupEngineCommand().Parse(command, BackupEngineCommand.ParserConfiguration).Errors);

    [Fact]
    public void A_command_that_does_not_exist_is_found() =>
        Assert.NotEmpty(new BackupEngineCommand().Parse("backup disk.img --to nowhere", BackupEngineCommand.ParserConfiguration).Errors);

    [Theory]
    [MemberData(nameof(WithScripts))]
    public async Task The_scripts_of_a_document_run_one_after_the_other_and_restore_what_was_backed_up(string path)
    {
        string script = Surroundings + _before.GetValueOrDefault(path) + string.Concat(Blocks(path, "sh"));
        if (script.Contains("$(losetup", StringComparison.Ordinal))
            Requires.LoopDevices();
        Requires.CommandsOf(script);
        await using S3Place? s3 = script.Contains("s3://", StringComparison.Ordinal) ? await S3Place.NewAsync() : null;
        using var workspace = new Workspace();
        Dictionary<string, string?> environment = new(s3?.Settings.Environment ?? new Dictionary<string, string?>());
        foreach ((string name, string? value) in environment)
            script = Regex.Replace(script, $@"\b{name}=\S+", $"{name}={value}");
        script = Bucket().Replace(script, $"s3://{s3?.Bucket}/").Replace("/dev/vdb", "vdb.img", StringComparison.Ordinal);
        string volume = workspace.WriteVolume("disk.img", 3 << 20, seed: 1);
        using (FileStream file = File.OpenWrite(volume))
            file.SetLength(128 << 20);

        IEnumerable<string> settings = environment.Where(setting => setting.Value is not null).Select(setting => $"{setting.Key}={setting.Value}");
        string[] command = ["-C", workspace.PathOf("."), $"PATH={AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}", .. settings, "bash", "-c", script];
        (int exitCode, string output, string errors) = SystemTool.TryRun("env", command);
        Assert.True(exitCode == 0, $"ended with {exitCode}\n{output}\n{errors}");
        foreach (string image in Directory.EnumerateFiles(workspace.PathOf("."), "*.img"))
            SystemTool.Run("cmp", volume, image);
        Assert.Equal(script.Contains("restore latest", StringComparison.Ordinal), Directory.EnumerateFiles(workspace.PathOf("."), "*.img").Count() > 1);
    }

    [Theory]
    [MemberData(nameof(JsonTexts))]
    public void The_JSON_of_a_document_is_JSON(string text) => JsonDocument.Parse(text).Dispose();

    private static IEnumerable<string> Blocks(string path, string language) =>
        Regex.Matches(File.ReadAllText(Path.Join(_root, path)).ReplaceLineEndings("\n"), $"^```{language}\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value);

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", "..", ".."));

    // What the shell makes of redirections and pipes is not the program's.
    [GeneratedRegex(@"(?:^(?:\w+=\$\()?| -- )backup-engine ([^|>)\n\\]*)", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("s3://[a-z-]+/")]
    private static partial Regex Bucket();
}
