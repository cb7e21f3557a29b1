using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class ShowCommand : EngineCommand
{
    public ShowCommand()
        : base(
            "show",
            "Shows all that is known of one backup.",
            "backup-engine show 2f6c1a7e --store /backups",
            "backup-engine show latest --store /backups --json")
    {
        Arguments.Add(SharedOptions.Backup);
        Options.Add(SharedOptions.Store);
        Options.Add(SharedOptions.VolumeId);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        Backup backup = await opened.Repository.FindBackupAsync(context.GetRequired(SharedOptions.Backup), context, cancellationToken);
        if (context.Json)
            CliJson.Print(CliJson.Record(backup));
        else
            BackupSheet.Print(backup);
        return ExitCodes.Done;
    }
}
