using System.Diagnostics;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Demo;

/// <summary>The tour: sample volume, full, change, incremental, verify, restores, comparisons.</summary>
/// <param name="context">Where progress is shown.</param>
/// <param name="directory">An empty directory to work in.</param>
/// <param name="sizeBytes">Size of the sample volume.</param>
internal sealed class DemoTour(CommandContext context, string directory, long sizeBytes)
{
    private readonly List<DemoStep> _steps = [];

    private string Volume => Path.Combine(directory, "volume.img");

    /// <summary>The sample volume as it was for the full backup: what the restores are compared with.</summary>
    private string Original => Path.Combine(directory, "original.img");

    /// <summary>Does everything.</summary>
    /// <exception cref="CommandException">Something restored is not what was backed up.</exception>
    public async Task<IReadOnlyList<DemoStep>> RunAsync(CancellationToken cancellationToken)
    {
        await using DirectoryObjectStore store = new(Path.Combine(directory, "backups"));
        await using BackupRepository repository = await BackupRepository.OpenOrCreateAsync(store, context.RepositoryOptions, cancellationToken);

        Say($"A sample volume of {ByteText.Of(sizeBytes)}: text, random data, zeros and holes.", $"cd {directory}");
        await TimeAsync("make volume", async () =>
        {
            await SampleVolume.CreateAsync(Volume, sizeBytes, cancellationToken);
            await SampleVolume.CreateAsync(Original, sizeBytes, cancellationToken);
        });

        Say("A full backup: holes are not read, zeros not stored.", "backup volume.img --store backups --name full");
        Backup full = await BackupAsync(repository, "full backup", incremental: false, cancellationToken);

        Say("Some of the volume changes, as on any day.", command: null);
        await TimeAsync("change volume", () => SampleVolume.ChangeAsync(Volume, cancellationToken));

        Say("An incremental backup: only what changed is stored.", "backup volume.img --store backups --name incremental --incremental");
        Backup incremental = await BackupAsync(repository, "incremental backup", incremental: true, cancellationToken);

        Say("Is all of it there, to the last byte?", "verify --store backups --deep");
        await VerifyAsync(repository, cancellationToken);

        Say("The full backup, restored to a new file.", $"restore {BackupText.ShortId(full.Id)} --store backups --to full.img");
        await RestoreAsync(repository, full, "full.img", "restore full", cancellationToken);
        await CompareAsync("full.img", Original, cancellationToken);

        Say("The incremental, restored to a new file.", "restore latest --store backups --to incremental.img");
        await RestoreAsync(repository, incremental, "incremental.img", "restore incremental", cancellationToken);
        await CompareAsync("incremental.img", Volume, cancellationToken);

        Say(
            "Back to the full over the changed volume itself: only what differs is fetched and written.",
            $"restore {BackupText.ShortId(full.Id)} --store backups --to volume.img --in-place differential");
        await RestoreAsync(repository, full, "volume.img", "restore differential", cancellationToken);
        await CompareAsync("volume.img", Original, cancellationToken);
        return _steps;
    }

    private async Task<Backup> BackupAsync(BackupRepository repository, string step, bool incremental, CancellationToken cancellationToken)
    {
        await using FileVolume volume = FileVolume.OpenRead(Volume);
        BackupOptions options = new() { VolumeId = VolumeIds.FromPath(Volume).ToString(), Name = incremental ? "incremental" : "full", Incremental = incremental };
        Backup backup = await context.WithProgressAsync(step, progress => repository.BackupAsync(volume, options, progress, cancellationToken));
        Add(new DemoStep(step, backup.DurationSeconds, backup.BytesRead, backup.BytesChanged, backup.BytesStored));
        return backup;
    }

    private async Task VerifyAsync(BackupRepository repository, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        VerifyReport report = await context.WithProgressAsync("verify", progress => repository.VerifyAsync(new VerifyOptions { Deep = true }, progress, cancellationToken));
        if (report.Findings is [VerifyFinding first, ..])
            throw new CommandException(ExitCodes.CorruptionFound, $"{first.Key}: {first.Problem}");
        Add(new DemoStep("verify", Stopwatch.GetElapsedTime(started).TotalSeconds, report.BytesRead));
    }

    private async Task RestoreAsync(BackupRepository repository, Backup backup, string fileName, string step, CancellationToken cancellationToken)
    {
        string path = Path.Combine(directory, fileName);
        bool differential = File.Exists(path);
        await using FileVolume target = differential ? FileVolume.OpenWrite(path) : FileVolume.Create(path, backup.SizeBytes);
        RestoreOptions options = new() { Differential = differential };
        RestoreResult result = await context.WithProgressAsync(step, progress => repository.RestoreAsync(backup.Id, target, options, progress, cancellationToken));
        Add(new DemoStep(step, result.DurationSeconds, result.BytesFetched + result.BytesCompared, result.BytesWritten + result.BytesZeroed));
    }

    private async Task CompareAsync(string restored, string expected, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        long? difference = await FileComparison.FindDifferenceAsync(Path.Combine(directory, restored), expected, cancellationToken);
        if (difference is { } offset)
            throw new CommandException(ExitCodes.CorruptionFound, $"{restored} differs from {Path.GetFileName(expected)} at byte {offset}: the engine failed its own demonstration");
        Add(new DemoStep("compare: identical", Stopwatch.GetElapsedTime(started).TotalSeconds, 2 * sizeBytes));
    }

    private async Task TimeAsync(string step, Func<Task> work)
    {
        long started = Stopwatch.GetTimestamp();
        await work();
        Add(new DemoStep(step, Stopwatch.GetElapsedTime(started).TotalSeconds));
    }

    private void Add(DemoStep step)
    {
        _steps.Add(step);
        if (!context.Json)
            Console.Out.WriteLine($"   {DemoTable.Line(step)}");
    }

    private void Say(string what, string? command)
    {
        if (context.Json)
            return;
        Console.Out.WriteLine();
        Console.Out.WriteLine(what);
        if (command is not null)
            Console.Out.WriteLine(command.StartsWith("cd ", StringComparison.Ordinal) ? $"   $ {command}" : $"   $ backup-engine {command}");
    }
}
