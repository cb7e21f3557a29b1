using System.IO.Compression;
using System.Xml.Linq;
using BackupEngine.TestKit.Requirements;
using Xunit;

namespace BackupEngine.Packages.Tests;

/// <summary>Every package says what it is, and brings what a debugger needs.</summary>
[LongRunning]
public sealed class PackageContentTests(LocalFeed feed)
{
    public static TheoryData<string> Libraries => ["BackupEngine", "BackupEngine.S3", "BackupEngine.Hosting"];

    public static TheoryData<string> All => [.. Libraries, "BackupEngine.Cli"];

    [Theory]
    [MemberData(nameof(All))]
    public void A_package_has_readme_icon_licence_and_description(string id)
    {
        using ZipArchive package = Open(id, "nupkg");
        XElement metadata = XDocument.Load(package.GetEntry($"{id}.nuspec")!.Open()).Root!.Elements().Single();
        string? Of(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

        Assert.Equal(id, Of("id"));
        Assert.Equal("README.md", Of("readme"));
        Assert.Equal("icon.png", Of("icon"));
        Assert.Equal("Apache-2.0", Of("license"));
        Assert.True(Of("description")!.Length > 20);
        using var readme = new StreamReader(package.GetEntry("README.md")!.Open());
        Assert.StartsWith($"# {id}\n", readme.ReadToEnd(), StringComparison.Ordinal);
        Assert.NotNull(package.GetEntry("icon.png"));
        Assert.NotNull(package.GetEntry("LICENSE"));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_library_comes_with_documentation_and_symbols(string id)
    {
        using ZipArchive package = Open(id, "nupkg");
        Assert.NotNull(package.GetEntry($"lib/net10.0/{id}.dll"));
        Assert.NotNull(package.GetEntry($"lib/net10.0/{id}.xml"));
        using ZipArchive symbols = Open(id, "snupkg");
        Assert.NotNull(symbols.GetEntry($"lib/net10.0/{id}.pdb"));
    }

    private ZipArchive Open(string id, string kind) => ZipFile.OpenRead(Path.Join(feed.Packages, $"{id}.{LocalFeed.Version}.{kind}"));
}
