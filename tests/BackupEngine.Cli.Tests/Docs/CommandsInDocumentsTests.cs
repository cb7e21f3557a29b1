using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using BackupEngine.Cli.CommandLine;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Cli.Tests.Docs;

/// <summary>The commands that documents show are commands of the program; what they show of shell and JSON can be parsed.</summary>
public sealed partial class CommandsInDocumentsTests
{
    private static readonly string _root = FindRoot();

    public static TheoryData<string> Commands =>
        [.. Blocks("(?:sh)?").SelectMany(block => Command().Matches(block).Select(match => match.Groups[1].Value.Trim())).Distinct()];

    public static TheoryData<string> Scripts => [.. Blocks("sh")];

    public static TheoryData<string> JsonTexts => [.. Blocks("json")];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_of_a_document_is_understood(string command) =>
        Assert.Empty(new BackupEngineCommand().Parse(command, BackupEngineCommand.ParserConfiguration).Errors);

    [Fact]
    public void A_command_that_does_not_exist_is_found() =>
        Assert.NotEmpty(new BackupEngineCommand().Parse("backup disk.img --to nowhere", BackupEngineCommand.ParserConfiguration).Errors);

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_of_a_document_is_one_to_the_shell(string script) => SystemTool.Run("sh", "-n", "-c", script);

    [Theory]
    [MemberData(nameof(JsonTexts))]
    public void The_JSON_of_a_document_is_JSON(string text) => JsonDocument.Parse(text).Dispose();

    private static IEnumerable<string> Blocks(string language) =>
        Directory.EnumerateFiles(_root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "docs"), "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "src"), "README.md", SearchOption.AllDirectories))
            .SelectMany(path => Regex.Matches(File.ReadAllText(path).ReplaceLineEndings("\n"), $"^```{language}\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline))
            .Select(match => match.Groups[1].Value);

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", "..", ".."));

    // What the shell makes of redirections and pipes is not the program's.
    [GeneratedRegex(@"(?:^(?:\w+=\$\()?| -- )backup-engine ([^|>)\n\\]*)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
