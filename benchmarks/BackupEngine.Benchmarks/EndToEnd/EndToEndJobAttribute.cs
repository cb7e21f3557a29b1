using BackupEngine.Benchmarks.Running;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;

namespace BackupEngine.Benchmarks.EndToEnd;

/// <summary>How often end-to-end benchmarks run: one invocation for each iteration, after two that warm up code and memory.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class EndToEndJobAttribute : Attribute, IConfigSource
{
    public IConfig Config { get; } = Scale.IsSmoke
        ? ManualConfig.CreateEmpty()
        : ManualConfig.CreateEmpty().AddJob(
            Job.Default.WithStrategy(RunStrategy.Monitoring).WithLaunchCount(1).WithWarmupCount(2).WithIterationCount(7).WithInvocationCount(1).WithUnrollFactor(1));
}
