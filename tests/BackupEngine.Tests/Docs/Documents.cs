using System.Runtime.CompilerServices;

namespace BackupEngine.Tests.Docs;

/// <summary>The documents of the source tree that these tests were compiled from.</summary>
internal static class Documents
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every document, by its path from the root.</summary>
    public static IEnumerable<string> All =>
        Directory.EnumerateFiles(Root, "*.md", SearchOption.TopDirectoryOnly)
            .Concat(Directory.EnumerateFiles(Path.Join(Root, "docs"), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Path.Join(Root, "benchmarks"), "*.md", SearchOption.TopDirectoryOnly))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'));

    public static string Read(string path) => File.ReadAllText(Path.Join(Root, path)).ReplaceLineEndings("\n");

    /// <summary>The cells of every row of the tables in a text; code marks are taken off.</summary>
    public static IEnumerable<string[]> TableRows(string text) =>
        text.Split('\n')
            .Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim().Trim('`')).ToArray());

    /// <summary>The part of a document from a heading to the next of the same or a higher level.</summary>
    public static string Section(string text, string heading)
    {
        string[] lines = text.Split('\n');
        int first = Array.IndexOf(lines, heading);
        if (first < 0)
            throw new InvalidOperationException($"There is no heading '{heading}'.");
        int level = heading.IndexOf(' ', StringComparison.Ordinal);
        int end = first + 1;
        while (end < lines.Length && !(lines[end].StartsWith('#') && lines[end].IndexOf(' ', StringComparison.Ordinal) <= level))
            end++;
        return string.Join('\n', lines[first..end]);
    }

    private static string FindRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", "..", ".."));
}
