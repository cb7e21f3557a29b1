using System.Xml.Linq;
using BackupEngine.S3;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.S3;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Packages.Tests;

/// <summary>The packages do what they are for in a project that knows nothing of this source tree.</summary>
[LongRunning(NeedsTools = true)]
public sealed class FreshProjectTests(LocalFeed feed)
{
    [Fact]
    public async Task A_new_project_backs_up_and_restores_in_a_directory_and_in_S3()
    {
        S3Server server = await S3Server.GetAsync();
        Create("fresh");
        feed.Dotnet("build", "fresh", "-warnaserror", "-o", feed.PathOf("out"));
        await RunAsync(server, "dotnet", feed.PathOf("out/fresh.dll"), feed.PathOf("fresh"));
    }

    /// <summary>What the packages say of native AOT holds.</summary>
    [Fact]
    public async Task The_same_project_does_so_as_a_native_program()
    {
        Requires.Linux("A native program linked by gcc");
        Requires.Command("g++");
        S3Server server = await S3Server.GetAsync();
        Create("native");
        // Neither optimized nor with debug symbols: a fifth faster to compile, and what it shows is the same.
        feed.Dotnet("publish", "native", "-o", feed.PathOf("native-out"), "-p:PublishAot=true", "-p:Optimize=false", "-p:DebugType=none", "-warnaserror");
        Assert.Empty(Directory.EnumerateFiles(feed.PathOf("native-out"), "*.dll"));
        await RunAsync(server, feed.PathOf("native-out/native"), feed.PathOf("native"));
    }

    [Fact]
    public void The_tool_backs_up_and_restores()
    {
        feed.Dotnet("tool", "install", "BackupEngine.Cli", "--version", LocalFeed.Version, "--tool-path", "tool");
        string tool = feed.PathOf("tool/backup-engine");
        Assert.Contains("backup-engine", feed.Run(tool, "--help"), StringComparison.Ordinal);

        byte[] disk = new byte[1_000_000];
        new Random(1).NextBytes(disk.AsSpan(0, 500_000));
        File.WriteAllBytes(feed.PathOf("disk.img"), disk);
        feed.Run(tool, "backup", "disk.img", "--store", "tool-backups");
        feed.Run(tool, "restore", "latest", "--store", "tool-backups", "--to", "restored.img");
        Assert.Equal(disk, File.ReadAllBytes(feed.PathOf("restored.img")));
    }

    private void Create(string name)
    {
        feed.Dotnet("new", "console", "-o", name, "--no-restore", "--framework", "net10.0");
        foreach ((string package, string version) in (ReadOnlySpan<(string, string)>)[("BackupEngine.S3", LocalFeed.Version), ("BackupEngine.Hosting", LocalFeed.Version), ("Microsoft.Extensions.Hosting", VersionOf("Microsoft.Extensions.Hosting"))])
            feed.Dotnet("add", name, "package", package, "--version", version, "--no-restore");
        File.Copy(Path.Join(LocalFeed.Root, "tests/BackupEngine.Packages.Tests/FreshProject/Program.cs"), feed.PathOf($"{name}/Program.cs"), overwrite: true);
    }

    private async Task RunAsync(S3Server server, params string[] command)
    {
        string bucket = S3Server.NewBucketName();
        try
        {
            string output = feed.Run(
            [
                $"AWS_ENDPOINT_URL_S3={server.Endpoint}", $"AWS_ACCESS_KEY_ID={server.AccessKey}", $"AWS_SECRET_ACCESS_KEY={server.SecretKey}", $"AWS_REGION={S3Server.Region}",
                .. command, $"s3://{bucket}/backups",
            ]);
            Assert.Equal(["directory: identical, incremental, Healthy", "S3: identical, incremental, Healthy"], output.Split('\n'));
        }
        finally
        {
            await EmptyAsync(server, bucket);
        }
    }

    /// <summary>The version that this source tree takes, and so is in the machine's package folder.</summary>
    private static string VersionOf(string package) =>
        XDocument.Load(Path.Join(LocalFeed.Root, "Directory.Packages.props")).Descendants("PackageVersion").Single(version => version.Attribute("Include")!.Value == package).Attribute("Version")!.Value;

    private static async Task EmptyAsync(S3Server server, string bucket)
    {
        await using var store = new S3ObjectStore(new S3ObjectStoreOptions
        {
            Bucket = bucket,
            Endpoint = server.Endpoint,
            Region = S3Server.Region,
            AccessKey = server.AccessKey,
            SecretKey = server.SecretKey,
        });
        List<string> keys = [];
        await foreach (ObjectStores.ObjectInfo info in store.ListAsync(""))
            keys.Add(info.Key);
        await store.DeleteAsync(keys);
    }
}
