using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class ExportCommand : EngineCommand
{
    public ExportCommand()
        : base(
            "export",
            "Prints a backup's record, which 'import' takes: enough to restore where only the container is left.",
            "backup-engine export latest --store s3://bucket/disks > record.json")
    {
        Arguments.Add(SharedOptions.Backup);
        Options.Add(SharedOptions.Store);
        Options.Add(SharedOptions.VolumeId);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        Backup backup = await opened.Repository.FindBackupAsync(context.GetRequired(SharedOptions.Backup), context, cancellationToken);
        CliJson.Print(await opened.Repository.ExportRecordAsync(backup.Id, cancellationToken), CliJson.Default.ExportedRecord);
        return ExitCodes.Done;
    }
}
