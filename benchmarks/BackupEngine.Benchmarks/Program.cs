using BackupEngine.Benchmarks.ChangedExtents;
using BackupEngine.Benchmarks.RawBound;
using BackupEngine.Benchmarks.Running;
using BenchmarkDotNet.Running;

namespace BackupEngine.Benchmarks;

/// <summary>
/// What stands first says what is done: <c>smoke</c> runs every benchmark once on little data, <c>raw-bound</c> measures the bare kernels on a file,
/// <c>large-repository</c> makes the repository of the changed-extents case; anything else goes to BenchmarkDotNet.
/// </summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        try
        {
            switch (args.FirstOrDefault())
            {
                case "raw-bound":
                    RawBoundCommand.Run(args[1..]);
                    return 0;
                case "large-repository":
                    await LargeRepositoryCommand.RunAsync(args[1..]);
                    return 0;
                case "smoke":
                    Scale.BeSmall();
                    args = ["--filter", "*", .. args[1..]];
                    break;
            }
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 2;
        }

        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, BenchmarkConfig.Create()).ToList();
        return summaries.Count > 0 && summaries.All(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
