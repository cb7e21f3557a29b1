using System.Text.Json.Nodes;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class ListCommand : EngineCommand
{
    public ListCommand()
        : base(
            "list",
            "Lists the backups in a store, the one that was stored last first.",
            "backup-engine list --store /backups",
            "backup-engine list --store s3://bucket/disks --json")
    {
        Options.Add(SharedOptions.Store);
        Options.Add(SharedOptions.VolumeId);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        IReadOnlyList<Backup> backups = await opened.Repository.ListAsync(context.Get(SharedOptions.VolumeId), cancellationToken);
        if (context.Json)
            CliJson.Print(new JsonArray([.. backups.Select(CliJson.Record)]));
        else if (backups.Count == 0)
            Console.Out.WriteLine("No backups.");
        else
            BackupTable.Print(backups);
        if (FutureTimestamps.Describe([.. backups.Where(backup => backup.HasFutureTimestamp).Select(backup => backup.Id)]) is { } warning)
            ErrorReport.WriteWarning(context.Json ? warning : $"{warning} They are marked with '!'.");
        return ExitCodes.Done;
    }
}
