using System.CommandLine;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Commands;

internal sealed class RestoreCommand : EngineCommand
{
    private const string Differential = "differential";
    private const string Full = "full";
    private const string Skip = "skip";
    private const string Zero = "zero";

    private readonly Option<string> _to = new("--to")
    {
        Description = "Where to: a block device or file that is at least as large as the volume, or a new file.",
        HelpName = "TARGET",
        Required = true,
    };

    private readonly Option<string> _inPlace = new("--in-place")
    {
        Description = "How to write an existing target: 'full' writes everything (the default), 'differential' reads it first and writes only what differs.",
        HelpName = $"{Differential}|{Full}",
        CustomParser = Parsers.Of((string text, out string value, out string problem) =>
        {
            value = text;
            problem = $"'{text}' is no way to write in place: write {Differential} or {Full}.";
            return text is Differential or Full;
        }),
    };

    private readonly Option<VolumeExtent?> _range = new("--range")
    {
        Description = "Restore only these bytes, to the same place in the target.",
        HelpName = "OFFSET:LENGTH",
        CustomParser = Parsers.OfNullable<VolumeExtent>(ExtentSyntax.TryParse),
    };

    private readonly Option<bool> _forceTarget = new("--force-target")
    {
        Description = "Write to an image file although a loop device or a virtual machine uses it. What uses it then sees its data change. Mounted devices are never written to.",
    };

    private readonly Option<string> _damaged = new("--damaged")
    {
        Description = "Restore what is intact of a damaged backup: 'skip' leaves the lost ranges of the target as they are, 'zero' makes them zero. Lists them; exit code 5. Default: the restore fails at the first damage.",
        HelpName = $"{Skip}|{Zero}",
        CustomParser = Parsers.Of((string text, out string value, out string problem) =>
        {
            value = text;
            problem = $"'{text}' is not a way to deal with damaged data: write {Skip} or {Zero}.";
            return text is Skip or Zero;
        }),
    };

    private readonly Option<bool> _discardPartial = new("--discard-partial")
    {
        Description = "Begin anew where an earlier restore to a new file was interrupted. Default: continue in TARGET.partial, after comparing what is there.",
    };

    private readonly Option<long?> _maxMemory = BackupOptionSyntax.MaxMemory();

    public RestoreCommand()
        : base(
            "restore",
            "Restores a backup to a new file, or over an existing file or block device.",
            "backup-engine restore latest --store /backups --to restored.img",
            "backup-engine restore 2f6c1a7e --store s3://bucket/disks --to /dev/vg/data --in-place differential",
            "backup-engine restore latest --store /backups --to disk.img --range 1GiB:64MiB")
    {
        Arguments.Add(SharedOptions.Backup);
        foreach (Option option in (Option[])[SharedOptions.Store, _to, SharedOptions.VolumeId, _inPlace, _range, _damaged, _forceTarget, _discardPartial, _maxMemory, LimitSyntax.Read, LimitSyntax.Download])
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using OpenedRepository opened = await OpenedRepository.OpenAsync(context, cancellationToken);
        BackupRepository repository = opened.Repository;
        Backup backup = await repository.FindBackupAsync(context.GetRequired(SharedOptions.Backup), context, cancellationToken);
        VolumeExtent? range = context.Get(_range);
        if (range is { } asked && asked.End > backup.SizeBytes)
            throw new CommandException(ExitCodes.WrongUsage, $"--range ends at byte {asked.End}, but the volume of backup {backup.Id} has {backup.SizeBytes}");

        await using RestoreTarget target = await RestoreTarget.OpenAsync(context.GetRequired(_to), backup, range, context.Get(_forceTarget), context.Get(_discardPartial));
        RestoreOptions options = new()
        {
            Range = range,
            Differential = target.IsResumed || context.Get(_inPlace) == Differential,
            Damaged = context.Get(_damaged) switch
            {
                // What is lost of a new file is zero, whatever an interrupted restore has left there.
                Skip when !target.IsResumed => DamagedData.Skip,
                Skip or Zero => DamagedData.Zero,
                _ => DamagedData.Fail,
            },
        };
        if (context.Get(_maxMemory) is { } maxMemory)
            options = options with { MaxMemoryBytes = maxMemory };
        RestoreResult result;
        try
        {
            result = await context.WithProgressAsync("Restore", progress => repository.RestoreAsync(backup.Id, target.Volume, options, progress, cancellationToken));
        }
        catch (Exception e)
        {
            throw await target.AbandonAsync(e, cancellationToken);
        }

        await target.CompleteAsync();

        long lost = result.LostRanges.Sum(range => range.Length);
        string? problem = lost == 0 ? null : $"{lost} bytes of backup {backup.Id} are lost and were not restored to {target.Path} ({result.LostRanges.Count} ranges); the rest is restored";
        int exitCode = problem is null ? ExitCodes.Done : ExitCodes.CorruptionFound;
        if (context.Json)
        {
            RestoreDocument document = Document(backup, target, result, repository);
            CliJson.Print(problem is null ? document : document with { Error = problem, ExitCode = exitCode }, CliJson.Default.RestoreDocument);
        }
        else
        {
            Print(backup, target, result);
        }

        if (problem is not null)
            ErrorReport.WriteLine(problem);
        return exitCode;
    }

    private static RestoreDocument Document(Backup backup, RestoreTarget target, RestoreResult result, BackupRepository repository) => new(
        BackupId: backup.Id,
        VolumeId: backup.VolumeId,
        Target: target.Path,
        TargetCreated: target.IsNew,
        Resumed: target.IsResumed,
        VolumeSize: backup.SizeBytes,
        BytesRead: result.BytesFetched,
        BytesChanged: result.BytesWritten + result.BytesZeroed,
        BytesStored: 0,
        BytesRestored: result.BytesRestored,
        BytesCompared: result.BytesCompared,
        BytesWritten: result.BytesWritten,
        BytesZeroed: result.BytesZeroed,
        BytesLost: result.LostRanges.Sum(range => range.Length),
        LostRanges: result.LostRanges,
        DurationSeconds: result.DurationSeconds,
        Requests: repository.Requests);

    private static void Print(Backup backup, RestoreTarget target, RestoreResult result)
    {
        foreach (LostRange range in result.LostRanges)
            Console.Out.WriteLine($"Lost {range.Length} bytes from {range.Offset}: {range.Key}: {range.Problem}");
        Console.Out.WriteLine($"Restored backup {backup.Id} of volume {backup.VolumeId} to {target.Path}{(target.IsResumed ? " (continued)" : target.IsNew ? " (new file)" : "")}");
        string compared = result.BytesCompared > 0 ? $"compared {ByteText.Of(result.BytesCompared)}, " : "";
        Console.Out.WriteLine(
            $"{ByteText.Of(result.BytesRestored)} in {ByteText.Duration(result.DurationSeconds)} ({ByteText.Rate(result.BytesRestored, result.DurationSeconds)}): "
            + $"{compared}fetched {ByteText.Of(result.BytesFetched)}, wrote {ByteText.Of(result.BytesWritten)}, zeroed {ByteText.Of(result.BytesZeroed)}");
    }
}
