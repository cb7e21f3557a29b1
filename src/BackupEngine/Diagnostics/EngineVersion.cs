using System.Reflection;

namespace BackupEngine.Diagnostics;

/// <summary>The version of this engine, as records carry it.</summary>
internal static class EngineVersion
{
    public static string Current { get; } =
        typeof(EngineVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
