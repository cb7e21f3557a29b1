using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace BackupEngine.Tests;

/// <summary>The folders of the engine depend one way, as docs/architecture.md draws them.</summary>
public sealed partial class LayeringTests
{
    private static readonly Dictionary<string, string[]> _allowed = new()
    {
        ["Format"] = [],
        ["Buffers"] = [],
        ["Diagnostics"] = ["Buffers"],
        ["Durability"] = [],
        ["Volumes"] = ["Format", "Buffers", "Diagnostics", "Durability"],
        ["Chunking"] = ["Format", "Buffers", "Diagnostics", "Volumes"],
        ["Hashing"] = ["Format", "Buffers", "Diagnostics"],
        ["Compression"] = ["Format", "Buffers", "Diagnostics"],
        ["ObjectStores"] = ["Format", "Buffers", "Diagnostics", "Durability"],
        ["Limits"] = ["Buffers", "Diagnostics", "Volumes", "ObjectStores"],
        ["Packing"] = ["Format", "Buffers", "Diagnostics", "Volumes", "Chunking", "Hashing", "Compression", "ObjectStores"],
        ["Manifests"] = ["Format", "Buffers", "Diagnostics", "Volumes", "Chunking", "Hashing", "Compression", "ObjectStores", "Packing"],
        ["Catalog"] = ["Format", "Buffers", "Diagnostics", "Volumes", "Chunking", "Hashing", "Compression", "ObjectStores", "Packing", "Manifests"],
        ["Pruning"] = ["Format", "Buffers", "Diagnostics", "Durability", "Volumes", "Chunking", "Hashing", "Compression", "ObjectStores", "Packing", "Manifests", "Catalog", "Limits"],
        ["Pipelines"] = ["Format", "Buffers", "Diagnostics", "Volumes", "Chunking", "Hashing", "Compression", "ObjectStores", "Packing", "Manifests", "Catalog", "Limits"],
    };

    [Fact]
    public void Every_folder_uses_only_folders_below_it()
    {
        string root = GetEngineFolder();
        var wrong = new List<string>();
        foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string folder = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar) is [string first, _, ..] ? first : "";
            if (folder.Length == 0)
                continue;
            Assert.True(_allowed.ContainsKey(folder), $"{folder} is a new folder; say here what it may use.");
            wrong.AddRange(Reference().Matches(File.ReadAllText(file))
                .Select(match => match.Groups[1].Value)
                .Where(used => used != folder && _allowed.ContainsKey(used) && !_allowed[folder].Contains(used))
                .Select(used => $"{Path.GetRelativePath(root, file)} uses {used}"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_namespace_is_its_folder()
    {
        string root = GetEngineFolder();
        foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!);
            string expected = folder == "." ? "namespace BackupEngine;" : $"namespace BackupEngine.{folder.Replace(Path.DirectorySeparatorChar, '.')};";
            Assert.True(File.ReadAllText(file).Contains(expected, StringComparison.Ordinal), $"{Path.GetRelativePath(root, file)} should say {expected}");
        }
    }

    private static string GetEngineFolder([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "src", "BackupEngine"));

    [GeneratedRegex(@"\b(?:using (?:static )?BackupEngine\.|(?<![\w.])BackupEngine\.|(?<![\w.]))(Format|Buffers|Diagnostics|Durability|Volumes|Chunking|Hashing|Compression|ObjectStores|Limits|Packing|Manifests|Catalog|Pruning|Pipelines)[.;]")]
    private static partial Regex Reference();
}
