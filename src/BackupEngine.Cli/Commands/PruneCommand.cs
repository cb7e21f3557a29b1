using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Commands;

internal sealed class PruneCommand : EngineCommand
{
    private readonly Option<int?> _keepLast = CreateRule("--keep-last", "Keep the newest N backups of each volume.");
    private readonly Option<int?> _keepDaily = CreateRule("--keep-daily", "Keep the newest backup of each of the last N days that have one.");
    private readonly Option<int?> _keepWeekly = CreateRule("--keep-weekly", "The same by week.");
    private readonly Option<int?> _keepMonthly = CreateRule("--keep-monthly", "The same by month.");
    private readonly Option<double?> _repackBelow = new("--repack-below") { Description = "Empty packs of which less than this is still needed, such as 40%; what lives in them is stored anew when that costs less. Records exported before can then not be imported any more. Default: no pack is emptied.", HelpName = "PERCENT", CustomParser = Parsers.OfNullable<double>(TryParseThreshold) };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only say what would be removed." };
    private readonly Option<bool> _breakIntents = new("--break-intents") { Description = "Also remove intents and marks that were not refreshed for --intent-age; without it, for an hour. A writer that is active after all fails, and nothing is lost." };
    private readonly Option<TimeSpan?> _intentAge = new("--intent-age") { Description = "Age from which --break-intents breaks. Default: 24h.", HelpName = "AGE", CustomParser = Parsers.OfNullable<TimeSpan>(TimeSyntax.TryParseSpan) };
    private readonly Option<bool> _orphans = new("--orphans") { Description = "Also remove data that no backup refers to although nothing says that it was to be removed, when it is older than --orphan-age. Default: it is reported and kept." };
    private readonly Option<TimeSpan?> _orphanAge = new("--orphan-age") { Description = "Age, by the store's clock, from which --orphans removes. Default: 7d.", HelpName = "AGE", CustomParser = Parsers.OfNullable<TimeSpan>(TimeSyntax.TryParseSpan) };
    private readonly Option<string[]> _confirmVolume = new("--confirm-volume") { Description = "Prune this volume although it has manifests and no record of any backup. May be given several times. Run 'repair' instead to rebuild lost records.", HelpName = "ID" };

    public PruneCommand()
        : base(
            "prune",
            "Removes backups that no --keep rule keeps (from anywhere in a chain), the data that only they need, and what interrupted commands left.",
            "backup-engine prune --store /backups",
            "backup-engine prune --store /backups --keep-daily 7 --keep-weekly 4 --dry-run",
            "backup-engine prune --store /backups --keep-last 14 --repack-below 40%")
    {
        Options.Add(SharedOptions.Store);
        Options.Add(SingleWriterSyntax.Option);
        Options.Add(SharedOptions.VolumeId);
        foreach (Option option in new Option[] { _keepLast, _keepDaily, _keepWeekly, _keepMonthly, _repackBelow, _dryRun, _breakIntents, _intentAge, _orphans, _orphanAge, _confirmVolume, LimitSyntax.Upload, LimitSyntax.Download })
            Options.Add(option);
    }

    protected override string CancelledMessage => "cancelled; prune again to finish";

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        PruneOptions options = new()
        {
            VolumeId = context.Get(SharedOptions.VolumeId),
            KeepLast = context.Get(_keepLast),
            KeepDaily = context.Get(_keepDaily),
            KeepWeekly = context.Get(_keepWeekly),
            KeepMonthly = context.Get(_keepMonthly),
            RepackBelowPercent = context.Get(_repackBelow),
            DryRun = context.Get(_dryRun),
            BreakIntents = context.Get(_breakIntents),
            RemoveOrphans = context.Get(_orphans),
            VolumesWithoutRecords = context.Get(_confirmVolume) ?? [],
        };
        if (context.Get(_intentAge) is { } age)
            options = options with { IntentAge = age };

        if (context.Get(_orphanAge) is { } orphanAge)
            options = options with { OrphanAge = orphanAge };

        long started = Stopwatch.GetTimestamp();
        PruneReport report = await opened.Repository.PruneAsync(options, cancellationToken);
        double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (context.Json)
            CliJson.Print(PruneDocument.Of(report, seconds, opened.Repository.Requests), CliJson.Default.PruneDocument);
        else
            Print(report, seconds);
        return ExitCodes.Done;
    }

    private static void Print(PruneReport report, double seconds)
    {
        string verb = report.DryRun ? "Would remove" : "Removed";
        foreach (Guid id in report.BackupsRemoved)
            Console.Out.WriteLine($"{verb} backup {id}");
        foreach (PruneIntent intent in report.IntentsRemoved)
            Console.Out.WriteLine($"{verb} what was left of {Describe(intent)}");
        foreach (PruneIntent intent in report.IntentsLeft)
            Console.Out.WriteLine($"Active, or not stale yet: {Describe(intent)}");
        foreach (string kept in report.Kept)
            Console.Out.WriteLine($"Kept {kept}");
        foreach (UnreferencedData data in report.Unreferenced)
            Console.Out.WriteLine($"{(data.Removed ? verb : "Kept")} {Describe(data)}");
        if (report.Unreferenced.Any(data => !data.Removed))
            Console.Out.WriteLine("Next: 'repair' rebuilds the records of manifests that have none; 'prune --orphans' removes what nobody needs.");
        if (report.PacksRepacked > 0)
            Console.Out.WriteLine($"{(report.DryRun ? "Would empty" : "Emptied")} {report.PacksRepacked} packs that are mostly dead; {ByteText.Of(report.BytesRepacked)} of them {(report.DryRun ? "would be" : "were")} stored anew");
        Console.Out.WriteLine(
            $"{verb} {report.BackupsRemoved.Count} backups, {report.ManifestsRemoved} manifests and {report.PacksRemoved} packs, {ByteText.Of(report.BytesRemoved)} in {ByteText.Duration(seconds)}; {report.BackupsKept} backups are left");
    }

    private static string Describe(UnreferencedData data)
    {
        string what = data.Kind switch
        {
            UnreferencedKind.ManifestWithoutRecord => "a manifest without a record, and the packs that only it needs",
            UnreferencedKind.UnreadableManifest => "a manifest without a record that cannot be read",
            _ => "packs that no manifest refers to",
        };
        return $"{data.Objects} {(data.Objects == 1 ? "object" : "objects")} of backup {data.BackupId} of volume {data.VolumeId}, {ByteText.Of(data.Bytes)}, stored until {data.NewestAt:u}: {what}";
    }

    private static string Describe(PruneIntent intent) =>
        $"backup {intent.BackupId} of volume {intent.VolumeId}{(intent.Host is null ? "" : $" by process {intent.ProcessId} on {intent.Host}")}, since {intent.Since:u}";

    private static Option<int?> CreateRule(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = Parsers.OfNullable<int>(TryParseCount),
    };

    private static bool TryParseCount(string text, out int count, out string problem)
    {
        problem = $"'{text}' is no number of backups to keep: write 1 or more.";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count >= 1;
    }

    private static bool TryParseThreshold(string text, out double percent, out string problem)
    {
        if (!PercentSyntax.TryParse(text, out percent, out problem))
            return false;
        problem = $"'{text}' would empty every pack: write less than 100%.";
        return percent < 100;
    }
}
