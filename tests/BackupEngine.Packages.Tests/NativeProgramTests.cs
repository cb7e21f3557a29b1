using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Packages.Tests;

/// <summary>What the package says of native AOT holds: the sample that embeds the engine, compiled to a native program without a warning, does what it does otherwise.</summary>
public sealed class NativeProgramTests(LocalFeed feed)
{
    /// <summary>Set to 1 where the test must not be skipped for want of a linker.</summary>
    private const string RequireVariable = "BACKUPENGINE_REQUIRE_AOT";

    [Fact]
    public void The_sample_backs_up_and_restores_as_a_native_program()
    {
        RequireLinker();
        Directory.CreateDirectory(feed.PathOf("native"));
        File.Copy(Path.Join(LocalFeed.Root, "samples/Embedding/Program.cs"), feed.PathOf("native/Program.cs"));
        File.WriteAllText(feed.PathOf("native/Embedding.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <PublishAot>true</PublishAot>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="BackupEngine" Version="{LocalFeed.Version}" /></ItemGroup>
            </Project>
            """);
        // Neither optimized nor with debug symbols: a fifth faster to compile, and what it shows is the same.
        feed.Dotnet("publish", "native", "-o", feed.PathOf("native/out"), "-p:Optimize=false", "-p:DebugType=none", "-warnaserror");

        byte[] disk = new byte[1_000_000];
        new Random(1).NextBytes(disk.AsSpan(0, 500_000));
        File.WriteAllBytes(feed.PathOf("native/disk.img"), disk);
        Assert.False(File.Exists(feed.PathOf("native/out/BackupEngine.dll")));
        string output = feed.Run(feed.PathOf("native/out/Embedding"), "native/disk.img", "native/store", "native/restored.img");
        Assert.EndsWith($"{disk.Length} bytes restored", output, StringComparison.Ordinal);
        Assert.Equal(disk, File.ReadAllBytes(feed.PathOf("native/restored.img")));
    }

    private static void RequireLinker()
    {
        if (OperatingSystem.IsLinux() && SystemTool.TryRun("sh", "-c", "command -v clang || command -v gcc").ExitCode == 0)
            return;
        const string Lacking = "neither clang nor gcc is installed, which link native programs";
        if (Environment.GetEnvironmentVariable(RequireVariable) == "1")
            Assert.Fail($"{RequireVariable} is 1, but {Lacking}");
        Assert.Skip($"NOT TESTED as a native program: {Lacking}");
    }
}
