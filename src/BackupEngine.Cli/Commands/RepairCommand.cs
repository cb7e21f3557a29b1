using System.CommandLine;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class RepairCommand : EngineCommand
{
    private readonly Option<bool> _acceptMissing = new("--accept-missing-packs") { Description = "Mark backups as damaged also in a volume of which no pack is left. Default: that is refused, because the store is most likely not completely mounted or copied." };

    public RepairCommand()
        : base(
            "repair",
            "Rebuilds lost and damaged records from manifests, marks backups that cannot be restored whole as in error (exit code 5), and clears the mark of those that are intact again.",
            "backup-engine repair --store /backups")
    {
        Options.Add(SharedOptions.Store);
        Options.Add(SingleWriterSyntax.Option);
        Options.Add(_acceptMissing);
        Options.Add(LimitSyntax.Download);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        RepairReport report = await context.WithProgressAsync("Repair", progress => opened.Repository.RepairAsync(new RepairOptions { AcceptMissingPacks = context.Get(_acceptMissing) }, progress, cancellationToken));
        string? nextStep = report.Findings.Count == 0
            ? null
            : "Next: back those volumes up with --incremental, which stores anew what is lost; then delete the backups in error, and prune.";
        if (context.Json)
        {
            CliJson.Print(new RepairDocument(report.Findings.Count == 0, report.RecordsRebuilt, report.BackupsMarked, report.BackupsCleared, report.Findings, report.FutureTimestamps, nextStep, opened.Repository.Requests), CliJson.Default.RepairDocument);
        }
        else
        {
            foreach (Guid id in report.RecordsRebuilt)
                Console.Out.WriteLine($"Rebuilt the record of backup {id}");
            foreach (Guid id in report.BackupsMarked)
                Console.Out.WriteLine($"Marked backup {id} as in error; 'show' says why");
            foreach (Guid id in report.BackupsCleared)
                Console.Out.WriteLine($"Backup {id} is intact again, and available");
            Console.Out.WriteLine($"Repaired: {report.RecordsRebuilt.Count} records rebuilt, {report.BackupsMarked.Count} backups marked, {report.BackupsCleared.Count} backups intact again, {report.Findings.Count} findings");
            if (nextStep is not null)
                Console.Out.WriteLine(nextStep);
        }

        if (FutureTimestamps.Describe(report.FutureTimestamps) is { } warning)
            ErrorReport.WriteWarning(warning);
        return report.Findings.Count == 0 ? ExitCodes.Done : ExitCodes.CorruptionFound;
    }
}
