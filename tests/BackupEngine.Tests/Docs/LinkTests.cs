using System.Text.RegularExpressions;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>Links between documents, and from them to code, lead somewhere.</summary>
public sealed partial class LinkTests
{
    public static TheoryData<string> AllDocuments => [.. Documents.All];

    [Theory]
    [MemberData(nameof(AllDocuments))]
    public void Every_link_within_the_tree_leads_to_a_file_and_a_heading(string document)
    {
        string text = WithoutCodeBlocks(Documents.Read(document));
        var broken = new List<string>();
        foreach (Match match in Link().Matches(text))
        {
            string target = match.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal))
                continue;
            (string path, string? anchor) = target.Split('#', 2) is [string file, string heading] ? (file, heading) : (target, null);
            string full = path.Length == 0 ? document : Path.GetRelativePath(Documents.Root, Path.GetFullPath(Path.Join(Documents.Root, Path.GetDirectoryName(document), path)));
            bool exists = path.Length == 0 || Path.Exists(Path.Join(Documents.Root, full));
            if (!exists || (anchor is not null && !Anchors(Documents.Read(full)).Contains(anchor)))
                broken.Add(target);
        }

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_document_is_linked_from_another()
    {
        string all = string.Join('\n', Documents.All.Select(document => WithoutCodeBlocks(Documents.Read(document))));
        string[] targets = [.. Link().Matches(all).Select(match => Path.GetFileName(match.Groups[1].Value.Split('#')[0]))];
        string[] unlinked = [.. Documents.All.Select(document => Path.GetFileName(document)).Where(name => name != "README.md" && !targets.Contains(name))];
        Assert.Empty(unlinked);
    }

    [Fact]
    public void Every_decision_is_in_the_list_of_decisions()
    {
        string list = Documents.Read("docs/decisions/README.md");
        string[] decisions = [.. Documents.All.Where(document => document.StartsWith("docs/decisions/", StringComparison.Ordinal)).Select(document => Path.GetFileName(document)).Where(name => name != "README.md")];
        Assert.NotEmpty(decisions);
        foreach (string decision in decisions)
        {
            string number = decision.Split('-')[0];
            Assert.Contains($"| [{number}]({decision}) |", list, StringComparison.Ordinal);
            Assert.StartsWith($"# {number}: ", Documents.Read($"docs/decisions/{decision}"), StringComparison.Ordinal);
        }
    }

    /// <summary>What a heading is called in a link: lower case, spaces as hyphens, without other signs; or what the heading says itself.</summary>
    private static HashSet<string> Anchors(string text) =>
        [.. Id().Matches(text).Select(match => match.Groups[1].Value), .. WithoutCodeBlocks(text).Split('\n').Where(line => line.StartsWith('#'))
            .Select(line => line.TrimStart('#').Trim().ToLowerInvariant())
            .Select(heading => string.Concat(heading.Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-'))];

    private static string WithoutCodeBlocks(string text) => CodeBlock().Replace(text, "");

    [GeneratedRegex(@"\]\(([^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"<a id=""(\w+)"">")]
    private static partial Regex Id();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex CodeBlock();
}
