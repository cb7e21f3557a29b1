using System.CommandLine;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Demo;
using BackupEngine.Cli.Output;

namespace BackupEngine.Cli.Commands;

internal sealed class DemoCommand : EngineCommand
{
    private const long MinSizeBytes = 4L << 20;
    private const long DefaultSizeBytes = 256L << 20;

    private readonly Option<long?> _size = new("--size")
    {
        Description = "Size of the sample volume, from 4MiB. Default: 256MiB. About twice as much room is needed.",
        HelpName = "SIZE",
        CustomParser = Parsers.OfNullable((string text, out long value, out string problem) =>
        {
            if (!ByteSizeSyntax.TryParse(text, out value, out problem))
                return false;
            problem = $"'{text}' is too small for a tour: write 4MiB or more.";
            return value >= MinSizeBytes;
        }),
    };

    private readonly Option<string> _directory = new("--directory") { Description = "Where to work. Default: the directory for temporary files.", HelpName = "DIR" };
    private readonly Option<bool> _keep = new("--keep") { Description = "Keep the sample volume, its backups and what was restored." };

    public DemoCommand()
        : base(
            "demo",
            "A tour: makes a sample volume, backs it up, changes it, backs it up again, verifies, restores and compares.",
            "backup-engine demo",
            "backup-engine demo --size 2GiB --keep --directory /var/tmp")
    {
        Options.Add(_size);
        Options.Add(_directory);
        Options.Add(_keep);
    }

    protected override string CancelledMessage => "cancelled; the tour's files were removed";

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        long size = context.Get(_size) ?? DefaultSizeBytes;
        bool keep = context.Get(_keep);
        string parent = Path.GetFullPath(context.Get(_directory) ?? Path.GetTempPath());
        // A directory of its own within the one that was named: removing it takes nothing else along.
        DirectoryInfo directory = Directory.CreateDirectory(Path.Combine(parent, $"backup-engine-demo-{Path.GetRandomFileName()}"));
        bool finished = false;
        try
        {
            IReadOnlyList<DemoStep> steps = await new DemoTour(context, directory.FullName, size).RunAsync(cancellationToken);
            Print(context, steps, size, keep ? directory.FullName : null);
            finished = true;
            return ExitCodes.Done;
        }
        finally
        {
            if (!keep || !finished)
                directory.Delete(recursive: true);
        }
    }

    private static void Print(CommandContext context, IReadOnlyList<DemoStep> steps, long size, string? kept)
    {
        if (context.Json)
        {
            IReadOnlyList<DemoStepDocument> documents = [.. steps.Select(step => new DemoStepDocument(step.Name, step.Seconds, step.BytesRead, step.BytesChanged, step.BytesStored))];
            CliJson.Print(new DemoDocument(Ok: true, size, kept, documents), CliJson.Default.DemoDocument);
            return;
        }

        Console.Out.WriteLine();
        DemoTable.Print(steps, size);
        Console.Out.WriteLine();
        Console.Out.WriteLine("Every restored byte is what it was.");
        Console.Out.WriteLine(kept is null ? "The tour's files were removed (--keep keeps them)." : $"All of it is kept in {kept}");
    }
}
