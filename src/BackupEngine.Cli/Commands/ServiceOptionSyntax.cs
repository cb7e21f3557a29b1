using System.CommandLine;

namespace BackupEngine.Cli.Commands;

/// <summary>Options of the commands that work on the service's catalog.</summary>
internal static class ServiceOptionSyntax
{
    public static Option<string> Data() => new("--data")
    {
        Description = "The service's own directory, for its catalog. One server at a time.",
        HelpName = "DIR",
        Required = true,
    };

    public static Option<string> Database() => new("--database")
    {
        Description = "Connection string of the catalog: 'Host=...;Database=...' is PostgreSQL. Default: a SQLite file in --data.",
        HelpName = "CONNECTION",
    };

    public static Option<string> Config() => new("--config")
    {
        Description = "A JSON file with the service's settings (docs/service.md).",
        HelpName = "FILE",
    };
}
