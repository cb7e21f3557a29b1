using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class DeleteCommand : EngineCommand
{
    public DeleteCommand()
        : base(
            "delete",
            "Deletes a backup that no incremental descends from, and the data that only it needs.",
            "backup-engine delete 2f6c1a7e --store /backups")
    {
        Arguments.Add(SharedOptions.Backup);
        Options.Add(SharedOptions.Store);
        Options.Add(SingleWriterSyntax.Option);
        Options.Add(SharedOptions.VolumeId);
    }

    protected override string CancelledMessage => "cancelled; if the backup still shows as 'deleting', delete it again to finish";

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        BackupRepository repository = opened.Repository;
        Backup backup = await FindAsync(repository, context, cancellationToken);
        await repository.DeleteAsync(backup.Id, cancellationToken);

        if (context.Json)
            CliJson.Print(new DeleteDocument(backup.Id, backup.VolumeId, Deleted: true, repository.Requests), CliJson.Default.DeleteDocument);
        else
            Console.Out.WriteLine($"Deleted backup {backup.Id} of volume {backup.VolumeId}");
        return ExitCodes.Done;
    }

    /// <summary>A backup whose record cannot be read, and not be repaired, can be deleted by its full id.</summary>
    private static async Task<Backup> FindAsync(BackupRepository repository, CommandContext context, CancellationToken cancellationToken)
    {
        string reference = context.GetRequired(SharedOptions.Backup);
        try
        {
            return await repository.FindBackupAsync(reference, context, cancellationToken);
        }
        catch (CorruptionException) when (Guid.TryParseExact(reference, "D", out Guid id))
        {
            return (await repository.ListAsync(cancellationToken: cancellationToken)).First(backup => backup.Id == id);
        }
    }
}
