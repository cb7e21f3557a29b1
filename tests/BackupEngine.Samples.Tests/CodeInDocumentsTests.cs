using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace BackupEngine.Samples.Tests;

/// <summary>The C# that documents show compiles against the libraries as they are.</summary>
public sealed partial class CodeInDocumentsTests
{
    private const string Usings = """
        using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Threading; using System.Threading.Tasks;
        using BackupEngine; using BackupEngine.Catalog; using BackupEngine.Hosting; using BackupEngine.Limits; using BackupEngine.ObjectStores; using BackupEngine.S3; using BackupEngine.Volumes;
        using Microsoft.Extensions.DependencyInjection; using Microsoft.Extensions.Hosting; using OpenTelemetry; using OpenTelemetry.Metrics; using OpenTelemetry.Trace;
        """;

    /// <summary>What fragments take from the text around them; fields, so that whole programs may have locals of the same name.</summary>
    private const string Surroundings = """
        static BackupRepository repository = null!; static FileVolume volume = null!; static FileVolume target = null!; static Backup backup = null!;
        static HostApplicationBuilder builder = null!; static string id = "", storePath = "", volumePath = "", restoredPath = "";
        """;

    private static readonly string _root = FindRoot();

    private static readonly MetadataReference[] _references =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    public static TheoryData<string> Documents =>
    [
        .. Directory.EnumerateFiles(_root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "docs"), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Path.Join(_root, "src"), "README.md", SearchOption.AllDirectories))
            // The API reference shows declarations.
            .Where(path => !path.StartsWith(Path.Join(_root, "docs", "api"), StringComparison.Ordinal) && Block().IsMatch(Read(path)))
            .Select(path => Path.GetRelativePath(_root, path)),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void The_code_of_a_document_compiles(string document) =>
        Assert.All(Block().Matches(Read(Path.Join(_root, document))), match => Assert.Empty(ErrorsOf(match.Groups[1].Value)));

    [Fact]
    public void Code_that_does_not_fit_the_libraries_is_found() => Assert.NotEmpty(ErrorsOf("await repository.BackupEverythingAsync();"));

    private static string[] ErrorsOf(string code)
    {
        // Directives stand before types, statements within a method.
        string usings = string.Concat(Directive().Matches(code).Select(match => match.Value));
        string program = $$"""
            {{Usings}}
            {{usings}}
            static class Document { {{Surroundings}} static async Task ShownAsync() { {{Directive().Replace(code, "")}}
            await Task.Yield(); } }
            """;
        CSharpCompilation compilation = CSharpCompilation.Create(
            "document",
            [CSharpSyntaxTree.ParseText(program, new CSharpParseOptions(LanguageVersion.Preview))],
            _references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        return [.. compilation.GetDiagnostics().Where(found => found.Severity == DiagnosticSeverity.Error).Select(found => found.ToString())];
    }

    private static string Read(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", ".."));

    [GeneratedRegex(@"^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^using [\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex Directive();
}
