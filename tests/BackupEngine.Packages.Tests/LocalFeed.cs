using System.Runtime.CompilerServices;
using BackupEngine.Packages.Tests;
using BackupEngine.TestKit.Volumes;
using Xunit;

[assembly: AssemblyFixture(typeof(LocalFeed))]

namespace BackupEngine.Packages.Tests;

/// <summary>
/// The packages of this source tree in a directory that NuGet takes them from, and a place outside of the tree to use them. What is installed from here
/// goes to a folder of its own, so that the machine's package folder holds none of it; what the packages depend on comes from the machine's.
/// </summary>
public sealed class LocalFeed : IDisposable
{
    /// <summary>A version that no other source has.</summary>
    public const string Version = "0.1.0-local";

#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    private readonly ScratchDirectory _place = new();

    public LocalFeed()
    {
        string machine = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        File.WriteAllText(_place.File("NuGet.config"), $"""
            <configuration>
              <packageSources><add key="local" value="{Packages}" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{machine}" /></fallbackPackageFolders>
            </configuration>
            """);
        foreach (string project in (string[])["BackupEngine", "BackupEngine.S3", "BackupEngine.Hosting", "BackupEngine.Cli"])
            Dotnet("pack", Path.Join(Root, "src", project), "--no-build", "-c", Configuration, "-o", Packages, "-p:PackageVersion=" + Version, "-warnaserror");
    }

    public static string Root { get; } = FindRoot();

    public string Packages => _place.File("feed");

    public string PathOf(string name) => _place.File(name);

    /// <summary>Runs the SDK's program in the place; what it printed, when it ended well.</summary>
    public string Dotnet(params ReadOnlySpan<string> arguments) => Run(["dotnet", .. arguments]);

    /// <summary>Runs a program in the place; what it printed, when it ended well.</summary>
    public string Run(params ReadOnlySpan<string> command)
    {
        // Servers that outlive the build would keep its output open.
        string[] settings = [$"NUGET_PACKAGES={_place.File("packages")}", "MSBUILDDISABLENODEREUSE=1", "DOTNET_CLI_USE_MSBUILD_SERVER=0", "UseSharedCompilation=false", "NuGetAudit=false", "DOTNET_NOLOGO=1"];
        (int exitCode, string output, string errors) = SystemTool.TryRun("env", ["-C", _place.Path, .. settings, .. command]);
        if (exitCode != 0)
            Assert.Fail($"{string.Join(' ', command)} ended with {exitCode}:\n{output}\n{errors}");
        return output;
    }

    public void Dispose() => _place.Dispose();

    private static string FindRoot([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", ".."));
}
