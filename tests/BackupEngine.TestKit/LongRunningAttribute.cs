using Xunit.v3;

namespace BackupEngine.TestKit;

/// <summary>Marks a test that takes seconds: <c>tests/run --quick</c> leaves it out.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LongRunningAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Duration", "Long")];
}
