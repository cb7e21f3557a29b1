using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace BackupEngine.Tests;

/// <summary>One mechanism skips tests, so that each skip names what is missing and what provides it.</summary>
public sealed partial class SkippedTestsTests
{
    [Fact]
    public void TestSources_OutsideOfTheTestKit_SkipOnlyThroughRequires() => Assert.Empty(FindInTests(Skip()));

    [Fact]
    public void TestSources_ThatStartACommand_RequireIt() => Assert.Empty(FindInTests(CommandThatIsNotRequired()));

    private static IEnumerable<string> FindInTests(Regex pattern, [CallerFilePath] string thisFile = "")
    {
        string tests = Path.GetDirectoryName(Path.GetDirectoryName(thisFile))!;
        return
            from file in Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories)
            let name = Path.GetRelativePath(tests, file)
            where !name.StartsWith("BackupEngine.TestKit", StringComparison.Ordinal) && Path.GetFileName(file) != "SkippedTestsTests.cs"
            from match in pattern.Matches(File.ReadAllText(file))
            select $"{name}: {match.Value}";
    }

    [GeneratedRegex(@"Assert\.Skip\w*|\bSkip\s*=\s*""|BACKUPENGINE_REQUIRE\w*")]
    private static partial Regex Skip();

    [GeneratedRegex(@"ProcessStartInfo\(\s*""[^""]+")]
    private static partial Regex CommandThatIsNotRequired();
}
