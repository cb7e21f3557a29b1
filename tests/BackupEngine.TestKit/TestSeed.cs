using System.Globalization;

namespace BackupEngine.TestKit;

/// <summary>
/// Seeds for property tests: a new one for every run, so that runs add up, and the one in BACKUPENGINE_TEST_SEED when a
/// failure is to be seen again. Every property test puts its seed into its failure messages.
/// </summary>
public static class TestSeed
{
    public const string Variable = "BACKUPENGINE_TEST_SEED";

    public static int Next() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
        ? int.Parse(given, CultureInfo.InvariantCulture)
        : Random.Shared.Next();
}
