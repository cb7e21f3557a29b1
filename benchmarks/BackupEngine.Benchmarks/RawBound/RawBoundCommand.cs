using System.Text.Json;
using BackupEngine.Benchmarks.Running;
using BackupEngine.Volumes;

namespace BackupEngine.Benchmarks.RawBound;

/// <summary><c>raw-bound FILE [--workers N] [--no-lz4] [--read-holes]</c>: prints one JSON document.</summary>
internal static class RawBoundCommand
{
    public static void Run(string[] args)
    {
        var arguments = new Arguments(args, options: ["--workers"], flags: ["--no-lz4", "--read-holes"]);
        string path = arguments.GetOnlyValue("FILE");
        int workers = (int)Math.Min(arguments.GetNumber("--workers", Environment.ProcessorCount), 256);
        if (!File.Exists(path))
            throw new UsageException($"there is no file {path}");

        IReadOnlyList<VolumeExtent> regions = RawBoundRegions.Find(path, readHoles: arguments.Has("--read-holes"));
        RawBoundResult result = new RawBoundRun(path, regions, compress: !arguments.Has("--no-lz4")).Measure(workers);
        Console.WriteLine(JsonSerializer.Serialize(result, RawBoundJson.Default.RawBoundResult));
    }
}
