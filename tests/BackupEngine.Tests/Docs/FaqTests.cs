using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>What docs/faq.md says that messages say, they say.</summary>
public sealed class FaqTests
{
    private static readonly string _source = string.Concat(
        Directory.EnumerateFiles(Path.Join(Documents.Root, "src", "BackupEngine"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));

    public static TheoryData<string> Quotes =>
    [
        .. new[] { "### BackupStateException", "### RepositoryException", "### Others" }
            .SelectMany(heading => Documents.TableRows(Documents.Section(Documents.Read("docs/faq.md"), heading)).Skip(1))
            .SelectMany(row => row[0].Split(';', StringSplitOptions.TrimEntries)),
    ];

    [Theory]
    [MemberData(nameof(Quotes))]
    public void A_quoted_message_is_one_of_the_code(string quote) => Assert.Contains(quote, _source, StringComparison.Ordinal);

    /// <summary>Every error that says what state stands in the way can be looked up.</summary>
    [Fact]
    public void Every_state_that_refuses_is_in_the_table()
    {
        string[] quotes = [.. Quotes.Select(row => row.Data)];
        string[] missing =
        [
            .. _source.Split("new BackupStateException(").Skip(1).Select(rest => rest[..rest.IndexOf(");", StringComparison.Ordinal)].Trim())
                .Where(message => message != "hindrance" && !quotes.Any(quote => message.Contains(quote, StringComparison.Ordinal))),
        ];
        Assert.True(missing.Length == 0, string.Join('\n', missing));
    }
}
