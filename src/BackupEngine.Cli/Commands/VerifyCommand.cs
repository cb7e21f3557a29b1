using System.CommandLine;
using System.Diagnostics;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class VerifyCommand : EngineCommand
{
    private readonly Argument<string?> _backup = new("BACKUP") { Description = "The backup to look at. Default: all, or all of --volume-id.", Arity = ArgumentArity.ZeroOrOne, CustomParser = Parsers.Of<string>(BackupReference.TryParse) };
    private readonly Option<bool> _deep = new("--deep") { Description = "Read and check every stored byte, not only that all objects are there and whole in size." };

    private readonly Option<double?> _sample = new("--sample") { Description = "With --deep: look at a random part only, such as 5%.", HelpName = "PERCENT", CustomParser = Parsers.OfNullable<double>(PercentSyntax.TryParse) };
    private readonly Option<DateTimeOffset?> _since = new("--since") { Description = "Only backups made at this time or later, and of them what they added. Goes on with a verification that was cut off.", HelpName = "TIME", CustomParser = Parsers.OfNullable<DateTimeOffset>(TimeSyntax.TryParse) };

    public VerifyCommand()
        : base(
            "verify",
            "Checks that backups can be restored; exit code 5 when one cannot.",
            "backup-engine verify --store /backups",
            "backup-engine verify latest --store s3://bucket/disks --deep")
    {
        Arguments.Add(_backup);
        Options.Add(SharedOptions.Store);
        Options.Add(SharedOptions.VolumeId);
        Options.Add(_deep);
        Options.Add(_sample);
        Options.Add(_since);
        Options.Add(LimitSyntax.Download);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        BackupRepository repository = opened.Repository;
        Guid? id = context.Get(_backup) is { } wanted ? (await repository.FindBackupAsync(wanted, context, cancellationToken)).Id : null;
        VerifyOptions options = new() { BackupId = id, VolumeId = context.Get(SharedOptions.VolumeId), Deep = context.Get(_deep), SamplePercent = context.Get(_sample) ?? 100, Since = context.Get(_since) };
        if (context.Get(_sample) is not null && !options.Deep)
            throw new CommandException(ExitCodes.WrongUsage, "--sample says how much --deep reads: give both");

        long started = Stopwatch.GetTimestamp();
        VerifyReport report = await context.WithProgressAsync("Verify", progress => repository.VerifyAsync(options, progress, cancellationToken));
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (report.BackupsChecked == 0 && options is { VolumeId: { } volumeId, Since: null })
            throw new CommandException(ExitCodes.NotFound, $"there is no backup of volume {volumeId} in {repository.Name}; 'list' shows what is there");

        string? problem = Problem(report);
        int exitCode = problem is null ? ExitCodes.Done : ExitCodes.CorruptionFound;
        if (context.Json)
        {
            VerifyDocument document = new(
                problem is null, options.Deep, report.BackupsChecked, report.PacksChecked, report.BytesRead, seconds, report.Findings, report.IntactAgain, report.FutureTimestamps, repository.Requests)
            {
                BackupsSkipped = report.BackupsSkipped is [] ? null : report.BackupsSkipped,
            };
            CliJson.Print(problem is null ? document : document with { Error = problem, ExitCode = exitCode }, CliJson.Default.VerifyDocument);
        }
        else
        {
            Print(report, options.Deep, seconds);
        }

        if (report.BackupsSkipped.Count > 0)
            ErrorReport.WriteWarning($"{report.BackupsSkipped.Count} backups were written by a newer engine and were not checked: {string.Join(", ", report.BackupsSkipped)}. Use a newer engine.");
        if (FutureTimestamps.Describe(report.FutureTimestamps) is { } warning)
            ErrorReport.WriteWarning(warning);
        if (problem is not null)
            ErrorReport.WriteLine(problem);
        return exitCode;
    }

    private static string? Problem(VerifyReport report)
    {
        if (report.Findings.Count == 0)
            return null;
        int damaged = report.Findings.Select(finding => finding.BackupId).Distinct().Count();
        VerifyFinding first = report.Findings[0];
        return $"{damaged} of {report.BackupsChecked} backups cannot be restored whole ({report.Findings.Count} findings): {first.Key}: {first.Problem}";
    }

    private static void Print(VerifyReport report, bool deep, double seconds)
    {
        foreach (VerifyFinding finding in report.Findings)
        {
            string place = finding.Offset is { } offset ? $" at byte {offset}" : "";
            string lost = finding.VolumeOffset is { } from ? $"; the volume loses {finding.VolumeLength} bytes from {from}" : "";
            Console.Out.WriteLine($"backup {finding.BackupId}: {finding.Key}{place}: {finding.Problem}{lost}");
        }

        foreach (Guid id in report.IntactAgain)
            Console.Out.WriteLine($"backup {id}: marked as damaged, but all of its data is intact; 'repair' makes it available again");
        string how = deep ? $"every byte, {ByteText.Of(report.BytesRead)} in {ByteText.Duration(seconds)}" : "objects and their sizes; --deep reads every byte";
        Console.Out.WriteLine($"Verified {report.BackupsChecked} backups and {report.PacksChecked} packs ({how}): {(report.Findings.Count == 0 ? "all is well" : $"{report.Findings.Count} findings")}");
        if (report.Findings.Count > 0)
            Console.Out.WriteLine("Next: 'repair' marks backups that are damaged, so that the next incremental stores anew what they lost.");
    }
}
