using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using BackupEngine.Cli.CommandLine;
using Xunit;

namespace BackupEngine.Cli.Tests.Docs;

/// <summary>The commands that documents show are commands of the program.</summary>
public sealed partial class CommandsInDocumentsTests
{
    private static readonly string _root = FindRoot();

    public static TheoryData<string> Commands =>
    [
        .. Directory.EnumerateFiles(_root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "docs"), "*.md"))
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "src"), "README.md", SearchOption.AllDirectories))
            .SelectMany(path => Block().Matches(File.ReadAllText(path).ReplaceLineEndings("\n")).Select(match => match.Groups[1].Value))
            .SelectMany(block => Command().Matches(block).Select(match => match.Groups[1].Value.Trim()))
            .Distinct(),
    ];

    [Theory]
    [MemberData(nameof(Commands))]
    public void A_command_of_a_document_is_understood(string command) =>
        Assert.Empty(new BackupEngineCommand().Parse(command, BackupEngineCommand.ParserConfiguration).Errors);

    [Fact]
    public void A_command_that_does_not_exist_is_found() =>
        Assert.NotEmpty(new BackupEngineCommand().Parse("backup disk.img --to nowhere", BackupEngineCommand.ParserConfiguration).Errors);

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", "..", ".."));

    [GeneratedRegex(@"^```(?:sh)?\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    // What the shell makes of redirections and pipes is not the program's.
    [GeneratedRegex(@"^(?:\w+=\$\()?backup-engine ([^|>)\n\\]*)", RegexOptions.Multiline)]
    private static partial Regex Command();
}
