using System.CommandLine;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Cli.Output;
using BackupEngine.Cli.Stores;
using BackupEngine.ObjectStores;

namespace BackupEngine.Cli.Commands;

internal sealed class CheckStoreCommand : EngineCommand
{
    private readonly Argument<StoreAddress> _store = new("STORE")
    {
        Description = "The store to check: a directory, file:///directory, or s3://bucket/prefix. It may hold backups or be empty, and is left as it was.",
        CustomParser = Parsers.Of<StoreAddress>(StoreAddress.TryParse),
    };

    public CheckStoreCommand()
        : base(
            "check-store",
            "Checks what a store supports, and whether several processes can back up to it safely. Exit code 0 when it is safe, 4 when something required is missing.",
            "backup-engine check-store s3://bucket/disks",
            "backup-engine check-store /backups --json") => Arguments.Add(_store);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using IObjectStore store = OpenedRepository.OpenStore(context.GetRequired(_store), createContainer: false);
        ObjectStoreReport report = await ObjectStoreProbe.CheckAsync(store, cancellationToken);
        string? problem = report.IsSafe ? null : Describe(report);
        int exitCode = report.IsSafe ? ExitCodes.Done : ExitCodes.RefusedByState;
        if (context.Json)
            CliJson.Print(CheckStoreDocument.Of(report, problem, exitCode), CliJson.Default.CheckStoreDocument);
        else
            Print(report);
        if (problem is not null)
            ErrorReport.WriteLine(problem);
        return exitCode;
    }

    private static string Describe(ObjectStoreReport report)
    {
        IEnumerable<string> missing = report.Checks.Where(check => check.Result == ObjectStoreCheckResult.Missing).Select(check => check.Detail);
        return $"{report.StoreName} is not safe for several processes: {string.Join("; ", missing)}. See {SingleWriterSyntax.Option.Name} of 'backup' for using it with one process";
    }

    private static void Print(ObjectStoreReport report)
    {
        Console.Out.WriteLine($"Store: {report.StoreName} ({(report.HoldsRepository ? "holds a repository" : "holds no repository")})");
        int width = report.Checks.Max(check => CheckStoreDocument.NameOf(check.Feature).Length);
        foreach (ObjectStoreCheck check in report.Checks)
            Console.Out.WriteLine($"  {CheckStoreDocument.NameOf(check.Feature).PadRight(width)}  {CheckStoreDocument.NameOf(check.Result),-11}  {check.Detail}");
        foreach ((string name, string value) in report.Properties)
            Console.Out.WriteLine($"  {name.PadRight(width)}  {value}");
        Console.Out.WriteLine("Not checked:");
        foreach (string notChecked in report.NotChecked)
            Console.Out.WriteLine($"  {notChecked}");
        Console.Out.WriteLine(report.IsSafe ? "Safe: any number of processes can use this store at once." : "Not safe: writing is refused without single-writer mode.");
    }
}
