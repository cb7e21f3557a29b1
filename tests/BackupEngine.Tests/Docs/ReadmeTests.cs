using System.Text.RegularExpressions;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>What README.md shows is what is built.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void The_lines_that_embed_the_engine_are_those_of_the_sample()
    {
        string shown = CSharp().Match(Documents.Read("README.md")).Groups[1].Value;
        string built = Sample().Match(Documents.Read("samples/Embedding/Program.cs")).Groups[1].Value;
        Assert.NotEmpty(built);
        Assert.Equal(built, shown);
    }

    [GeneratedRegex(@"^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"^// <readme>\n(.*?)^// </readme>", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Sample();
}
