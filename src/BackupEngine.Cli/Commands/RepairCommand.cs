using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class RepairCommand : EngineCommand
{
    public RepairCommand()
        : base(
            "repair",
            "Makes damaged records anew from manifests, and marks backups that cannot be restored whole as in error; exit code 5 when there are any.",
            "backup-engine repair --store /backups")
    {
        Options.Add(SharedOptions.Store);
        Options.Add(LimitSyntax.Download);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        RepairReport report = await context.WithProgressAsync("Repair", progress => opened.Repository.RepairAsync(null, progress, cancellationToken));
        string? nextStep = report.Findings.Count == 0
            ? null
            : "Next: back those volumes up with --incremental, which stores anew what is lost; then delete the backups in error, and prune.";
        if (context.Json)
        {
            CliJson.Print(new RepairDocument(report.Findings.Count == 0, report.RecordsRebuilt, report.BackupsMarked, report.Findings, nextStep, opened.Repository.Requests), CliJson.Default.RepairDocument);
        }
        else
        {
            foreach (Guid id in report.RecordsRebuilt)
                Console.Out.WriteLine($"Made the record of backup {id} anew");
            foreach (Guid id in report.BackupsMarked)
                Console.Out.WriteLine($"Marked backup {id} as in error; 'show' says why");
            Console.Out.WriteLine($"Repaired: {report.RecordsRebuilt.Count} records made anew, {report.BackupsMarked.Count} backups marked, {report.Findings.Count} findings");
            if (nextStep is not null)
                Console.Out.WriteLine(nextStep);
        }

        return report.Findings.Count == 0 ? ExitCodes.Done : ExitCodes.CorruptionFound;
    }
}
