using System.CommandLine;
using System.CommandLine.Help;
using BackupEngine.Cli.Commands;

namespace BackupEngine.Cli.CommandLine;

/// <summary>The root of the command line: lists the commands.</summary>
internal sealed class BackupEngineCommand : RootCommand
{
    public BackupEngineCommand()
        : base("Full and incremental backups of volumes (block devices, disk images) in a directory or S3, and back.")
    {
        Options.Add(SharedOptions.Json);
        Options.Add(SharedOptions.Verbose);

        Subcommands.Add(new BackupCommand());
        Subcommands.Add(new RestoreCommand());
        Subcommands.Add(new ListCommand());
        Subcommands.Add(new ShowCommand());
        Subcommands.Add(new DeleteCommand());
        Subcommands.Add(new ExportCommand());
        Subcommands.Add(new ImportCommand());
        Subcommands.Add(new VerifyCommand());
        Subcommands.Add(new RepairCommand());
        Subcommands.Add(new PruneCommand());
        Subcommands.Add(new CheckStoreCommand());
        Subcommands.Add(new DemoCommand());
        Subcommands.Add(new ServeCommand());
        Subcommands.Add(new CatalogCommand());

        HelpOption help = Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    /// <summary>Arguments are taken as they are: a volume's name may begin with <c>@</c>, which otherwise would name a response file.</summary>
    public static ParserConfiguration ParserConfiguration { get; } = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
}
