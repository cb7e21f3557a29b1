using System.CommandLine;
using System.CommandLine.Invocation;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class UsageTests(Workspace workspace) : IClassFixture<Workspace>
{
    public static TheoryData<string, string> WrongCommandLines => new()
    {
        { "frobnicate", "'frobnicate'" },
        { "backup", "--store" },
        { "backup --store STORE", "backup" },
        { "backup VOLUME", "--store" },
        { "backup VOLUME extra --store STORE", "'extra'" },
        { "backup VOLUME --store STORE --frob", "'--frob'" },
        { "backup VOLUME --store http://server/x", "'http://server/x'" },
        { "backup VOLUME --store s3:/bucket", "'s3:/bucket'" },
        { "backup VOLUME --store", "--store" },
        { "backup VOLUME --store STORE --compression gzip", "'gzip'" },
        { "backup VOLUME --store STORE --compression zstd:23", "'zstd:23'" },
        { "backup VOLUME --store STORE --chunk-size 65535", "'65535'" },
        { "backup VOLUME --store STORE --chunk-size 2KiB", "'2KiB'" },
        { "backup VOLUME --store STORE --chunk-size 8MiB", "'8MiB'" },
        { "backup VOLUME --store STORE --chunk-size 64KB", "64KiB" },
        { "backup VOLUME --store STORE --hash md5", "'md5'" },
        { "backup VOLUME --store STORE --workers 0", "'0'" },
        { "backup VOLUME --store STORE --workers 257", "'257'" },
        { "backup VOLUME --store STORE --workers two", "'two'" },
        { "backup VOLUME --store STORE --max-memory 1MiB", "'1MiB'" },
        { "backup VOLUME --store STORE --limit-read fast", "'fast'" },
        { "backup VOLUME --store STORE --limit-upload 0", "'0'" },
        { "restore latest --store STORE --to TARGET --max-memory 1MiB", "'1MiB'" },
        { "restore latest --store STORE --to TARGET --limit-download 5MB/s", "'5MB/s'" },
        { "restore latest --store STORE --to TARGET --limit-upload 5MiB/s", "'--limit-upload'" },
        { "verify --store STORE --limit-download /s", "'/s'" },
        { "backup VOLUME --store STORE --volume-id ../x", "'../x'" },
        { "backup VOLUME --store STORE --changed-extents FILE", "--parent ID" },
        { "backup VOLUME --store STORE --incremental --changed-extents FILE", "--parent ID" },
        { "backup VOLUME --store STORE --parent latest --changed-extents FILE", "--parent ID" },
        { "restore latest --store STORE", "--to" },
        { "restore --store STORE --to TARGET", "restore" },
        { "restore latest --store STORE --to TARGET --in-place sometimes", "'sometimes'" },
        { "restore latest --store STORE --to TARGET --range 5", "'5'" },
        { "restore latest --store STORE --to TARGET --range 5:0", "'5:0'" },
        { "list", "--store" },
        { "show --store STORE", "show" },
        { "delete --store STORE", "delete" },
        { "export --store STORE", "export" },
        { "import --store STORE", "import" },
        { "verify", "--store" },
        { "verify a b --store STORE", "'b'" },
        { "demo --size 1KiB", "'1KiB'" },
    };

    [Theory]
    [MemberData(nameof(WrongCommandLines))]
    public void A_wrong_command_line_is_named(string commandLine, string mention)
    {
        ParseResult parsed = new BackupEngineCommand().Parse(commandLine.Split(' '), BackupEngineCommand.ParserConfiguration);
        Assert.IsType<ParseErrorAction>(parsed.Action);
        string message = ErrorReport.MessageOf(parsed);
        Assert.Contains(mention, message, StringComparison.Ordinal);
        Assert.Contains("--help", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [LongRunning]
    [Theory]
    [InlineData("frobnicate")]
    [InlineData("backup VOLUME")]
    [InlineData("backup VOLUME --store STORE --chunk-size 3")]
    [InlineData("restore latest --store STORE --to TARGET --in-place sometimes")]
    [InlineData("show  --store STORE")]
    public async Task A_wrong_command_line_ends_in_one_line_and_nothing_is_touched(string commandLine)
    {
        CliSettings settings = new() { WorkingDirectory = workspace.PathOf("") };
        (await CliProcess.RunAsync(settings, commandLine.Split(' '))).MustFail(ExitCodes.WrongUsage, "--help");
        Assert.Empty(Workspace.FilesOf(workspace.PathOf("")));
    }

    [LongRunning]
    [Theory]
    [InlineData("list --json")]
    [InlineData("--json frobnicate")]
    [InlineData("--json")]
    [InlineData("backup VOLUME --json --store http://x")]
    [InlineData("backup --json --store STORE --chunk-size 7")]
    public async Task A_script_is_told_of_wrong_usage_as_well(string commandLine) =>
        (await CliProcess.RunAsync(commandLine.Split(' '))).MustFailWithJson(ExitCodes.WrongUsage);

    [Fact]
    public async Task A_name_that_begins_with_an_at_sign_is_no_response_file()
    {
        CliSettings settings = new() { WorkingDirectory = workspace.PathOf("") };
        (await CliProcess.RunAsync(settings, "backup", "@volume", "--store", workspace.Store)).MustFail(ExitCodes.NotFound, "@volume");
    }
}
