using System.CommandLine;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class ImportCommand : EngineCommand
{
    private readonly Argument<string> _file = new("FILE") { Description = "What 'export' printed, bare or within {\"backup-record\": ...}; '-' reads stdin." };

    public ImportCommand()
        : base(
            "import",
            "Makes an exported record a backup of the store again, if its data is there.",
            "backup-engine import record.json --store s3://bucket/disks",
            "backup-engine export latest --store /a | backup-engine import - --store /copy-of-a")
    {
        Arguments.Add(_file);
        Options.Add(SharedOptions.Store);
        Options.Add(SingleWriterSyntax.Option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        ExportedRecord record = await RecordFile.ReadAsync(context.GetRequired(_file), cancellationToken);
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        Backup backup = await opened.Repository.ImportRecordAsync(record, cancellationToken);
        if (context.Json)
            CliJson.Print(CliJson.Record(backup));
        else
            Console.Out.WriteLine($"Imported backup {backup.Id} of volume {backup.VolumeId}");
        return ExitCodes.Done;
    }
}
