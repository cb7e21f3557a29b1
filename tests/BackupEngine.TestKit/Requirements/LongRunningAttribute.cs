using Xunit.v3;

namespace BackupEngine.TestKit.Requirements;

/// <summary>
/// Marks a test that takes seconds: <c>tests/run --quick</c> leaves it out. One that needs nothing of the machine (<see cref="Requires"/>) runs once in CI; one that does runs
/// a second time where the tools are missing.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LongRunningAttribute : Attribute, ITraitAttribute
{
    internal const string ToolsTrait = "Tools";

    /// <summary>Gets a value that indicates whether the test requires tools, rights or servers.</summary>
    public bool NeedsTools { get; init; }

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        NeedsTools ? [new("Duration", "Long")] : [new("Duration", "Long"), new(ToolsTrait, "None")];
}
