using System.CommandLine;
using System.Text.Json.Nodes;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;
using BackupEngine.Service;

namespace BackupEngine.Cli.Commands;

internal sealed class CatalogRebuildCommand : EngineCommand
{
    private readonly Option<string> _data = ServiceOptionSyntax.Data();
    private readonly Option<string> _database = ServiceOptionSyntax.Database();
    private readonly Option<string> _config = ServiceOptionSyntax.Config();

    public CatalogRebuildCommand()
        : base(
            "rebuild",
            "Fills an empty catalog from the container alone. The service must not run.",
            "backup-engine catalog rebuild --store /backups --data /var/lib/backup-engine")
    {
        foreach (Option option in (Option[])[SharedOptions.Store, _data, _database, _config])
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        StoreAddress address = context.GetRequired(SharedOptions.Store);
        ServeOptions options = new()
        {
            OpenStore = _ => new(OpenedRepository.OpenStore(address, createContainer: false)),
            DataDirectory = context.GetRequired(_data),
            Database = context.Get(_database),
            ConfigFile = context.Get(_config),
        };
        int count = await BackupService.RebuildCatalogAsync(options, cancellationToken);
        if (context.Json)
            CliJson.Print(new JsonObject { ["backups"] = count });
        else
            Console.Out.WriteLine($"Entered {count} backups.");
        return ExitCodes.Done;
    }
}
