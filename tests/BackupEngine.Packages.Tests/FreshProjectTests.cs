using BackupEngine.S3;
using BackupEngine.TestKit.S3;
using Xunit;

namespace BackupEngine.Packages.Tests;

/// <summary>The packages do what they are for in a project that knows nothing of this source tree.</summary>
public sealed class FreshProjectTests(LocalFeed feed)
{
    [Fact]
    public async Task A_new_project_backs_up_and_restores_in_a_directory_and_in_S3()
    {
        S3Server server = await S3Server.GetAsync();
        string bucket = S3Server.NewBucketName();
        feed.Dotnet("new", "console", "-o", "fresh", "--no-restore", "--framework", "net10.0");
        feed.Dotnet("add", "fresh", "package", "BackupEngine.S3", "--version", LocalFeed.Version, "--no-restore");
        feed.Dotnet("add", "fresh", "package", "BackupEngine.Hosting", "--version", LocalFeed.Version, "--no-restore");
        File.Copy(Path.Join(LocalFeed.Root, "tests/BackupEngine.Packages.Tests/FreshProject/Program.cs"), feed.PathOf("fresh/Program.cs"), overwrite: true);
        feed.Dotnet("build", "fresh", "-warnaserror", "-o", feed.PathOf("out"));
        try
        {
            string output = feed.Run(
                $"AWS_ENDPOINT_URL_S3={server.Endpoint}", $"AWS_ACCESS_KEY_ID={server.AccessKey}", $"AWS_SECRET_ACCESS_KEY={server.SecretKey}", $"AWS_REGION={S3Server.Region}",
                "dotnet", feed.PathOf("out/fresh.dll"), feed.PathOf("fresh"), $"s3://{bucket}/backups");
            Assert.Equal(["directory: identical, incremental", "S3: identical, incremental"], output.Split('\n'));
        }
        finally
        {
            await EmptyAsync(server, bucket);
        }
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
