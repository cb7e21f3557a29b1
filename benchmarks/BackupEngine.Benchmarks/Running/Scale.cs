using System.Globalization;

namespace BackupEngine.Benchmarks.Running;

/// <summary>How much data the benchmarks work on. Told by environment variables, because BenchmarkDotNet runs each benchmark in a process of its own.</summary>
internal static class Scale
{
    private const string SmokeVariable = "BACKUP_ENGINE_BENCHMARK_SMOKE";
    private const string VolumeVariable = "BACKUP_ENGINE_BENCHMARK_VOLUME_MIB";
    private const string ScratchVariable = "BACKUP_ENGINE_BENCHMARK_SCRATCH";

    /// <summary>Whether everything is to be tried and nothing to be measured.</summary>
    public static bool IsSmoke => Environment.GetEnvironmentVariable(SmokeVariable) == "1";

    /// <summary>Size of the volume of the end-to-end benchmarks.</summary>
    public static int VolumeMiB =>
        int.TryParse(Environment.GetEnvironmentVariable(VolumeVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int mib) && mib > 0 ? mib
        : IsSmoke ? 24
        : 1024;

    /// <summary>Where volumes and directory stores are made: in memory where the system has such a place, so that no disk is measured.</summary>
    public static string ScratchRoot =>
        Environment.GetEnvironmentVariable(ScratchVariable) ?? (Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath());

    public static void BeSmall() => Environment.SetEnvironmentVariable(SmokeVariable, "1");

    /// <summary>All values, or the first alone when nothing is to be measured.</summary>
    public static IEnumerable<T> Select<T>(params T[] values) => IsSmoke ? values.Take(1) : values;
}
