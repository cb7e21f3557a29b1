using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace BackupEngine.Benchmarks.Running;

/// <summary>What all benchmarks are run with.</summary>
internal static class BenchmarkConfig
{
    public static IConfig Create()
    {
        ManualConfig config = ManualConfig.CreateEmpty()
            .AddLogger(ConsoleLogger.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddDiagnoser(MemoryDiagnoser.Default);
        if (!Scale.IsSmoke)
            return config.AddExporter(MarkdownExporter.GitHub, JsonExporter.FullCompressed);

        // Once each, in this process (to build and start one for each benchmark would take minutes), and nothing is kept.
        return config
            .AddJob(Job.Dry.WithToolchain(InProcessNoEmitToolchain.Instance))
            .WithOptions(ConfigOptions.DisableOptimizationsValidator)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "backup-engine-benchmarks-smoke"));
    }
}
