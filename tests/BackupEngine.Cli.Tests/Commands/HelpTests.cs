using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class HelpTests
{
    /// <summary>All commands that do something, by their words: those of a group in place of the group.</summary>
    public static TheoryData<string> Commands => [.. new BackupEngineCommand().Subcommands.SelectMany(command =>
        command.Subcommands.Count == 0 ? [command.Name] : command.Subcommands.Select(member => $"{command.Name} {member.Name}"))];

    [Fact]
    public void The_commands_are_those_of_the_contract() =>
        Assert.Equal(
            ["backup", "restore", "list", "show", "delete", "export", "import", "verify", "repair", "prune", "check-store", "demo", "serve", "catalog"],
            new BackupEngineCommand().Subcommands.Select(command => command.Name));

    [LongRunning]
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_explains_itself_with_an_example(string command)
    {
        CliResult result = (await CliProcess.RunAsync([.. command.Split(' '), "--help"])).MustSucceed();
        Assert.Contains("Examples:", result.Stdout, StringComparison.Ordinal);
        Assert.Contains($"\n  backup-engine {command}", result.Stdout, StringComparison.Ordinal);
        Assert.EndsWith("\n", result.Stdout, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_example_is_a_valid_command_line(string name)
    {
        BackupEngineCommand root = new();
        EngineCommand command = Assert.IsAssignableFrom<EngineCommand>(Find(root, name));
        Assert.NotEmpty(command.Examples);
        // Redirections and pipes are the shell's part of the example.
        IEnumerable<string> lines = command.Examples.SelectMany(example => example.Split('|')).Select(line => line.Split('>')[0].Trim());
        Assert.All(lines, line => Assert.Empty(root.Parse(line["backup-engine ".Length..], BackupEngineCommand.ParserConfiguration).Errors));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_option_and_argument_is_described(string name)
    {
        System.CommandLine.Command command = Find(new BackupEngineCommand(), name);
        Assert.All(command.Options, option => Assert.False(string.IsNullOrEmpty(option.Description), option.Name));
        Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrEmpty(argument.Description), argument.Name));
    }

    [Fact]
    public async Task Without_arguments_the_program_shows_its_help_and_wants_more()
    {
        CliResult result = await CliProcess.RunAsync();
        Assert.Equal(ExitCodes.WrongUsage, result.ExitCode);
        Assert.Contains("Commands:", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("backup-engine demo", result.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_help_of_the_program_teaches_stores_sizes_and_exit_codes()
    {
        CliResult result = (await CliProcess.RunAsync("--help")).MustSucceed();
        Assert.Contains("s3://bucket/prefix", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("64KiB", result.Stdout, StringComparison.Ordinal);
        Assert.Contains("130 cancelled", result.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_one_line()
    {
        CliResult result = (await CliProcess.RunAsync("--version")).MustSucceed();
        Assert.Matches(@"^\d+\.\d+\.\d+\S*\n$", result.Stdout);
    }

    private static System.CommandLine.Command Find(System.CommandLine.Command root, string words) =>
        words.Split(' ').Aggregate(root, (command, word) => command.Subcommands.Single(member => member.Name == word));
}
