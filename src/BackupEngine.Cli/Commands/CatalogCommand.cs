using System.CommandLine;

namespace BackupEngine.Cli.Commands;

/// <summary>The commands on the service's catalog.</summary>
internal sealed class CatalogCommand : Command
{
    public CatalogCommand()
        : base("catalog", "Works on the catalog of the service.") => Subcommands.Add(new CatalogRebuildCommand());
}
