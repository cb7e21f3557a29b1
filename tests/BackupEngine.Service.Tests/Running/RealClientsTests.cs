using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.S3;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Running;

/// <summary>OpenStack's own clients, unmodified, through whole lives of backups: on a directory and on S3.</summary>
public sealed class RealClientsTests
{
    private const string Project = ServiceUnderTest.Project;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cinder_backs_up_restores_exports_imports_and_deletes(bool onS3)
    {
        Requires.Command("cinder");
        using ScratchDirectory directory = new();
        ServerSetup setup = await SetUpAsync(directory, onS3);
        await using ServerProcess server = await ServerProcess.StartAsync(setup);
        TestVolume volume = TestVolume.Create(setup.Volumes, 3_000_000);
        byte[] first = volume.Fill(1);

        string full = Value(Cinder(server, "backup-create", volume.Id, "--name", "full", "--description", "whole", "--metadata", "k=v"), "id");
        await WaitAsync(server, full, "available");
        byte[] second = volume.Change(10_000, 1_000_000);
        string incremental = Value(Cinder(server, "backup-create", volume.Id, "--name", "inc", "--incremental"), "id");
        await WaitAsync(server, incremental, "available");
        Assert.Contains(full, Cinder(server, "backup-list", "--sort", "name:asc", "--with-count"), StringComparison.Ordinal);
        string shown = Cinder(server, "backup-show", "full");
        Assert.Equal("True", Value(shown, "has_dependent_backups"));

        Assert.Equal(first, await RestoredAsync(server, setup, full, Value(Cinder(server, "backup-restore", full), "volume_id")));
        TestVolume target = TestVolume.Create(setup.Volumes, 3_000_000);
        target.Fill(9);
        Assert.Equal(second, await RestoredAsync(server, setup, incremental, Value(Cinder(server, "backup-restore", "--volume", target.Id, "inc"), "volume_id")));

        string exported = Cinder(server, "backup-export", incremental);
        Cinder(server, "backup-reset-state", "--state", "error", incremental);
        await WaitAsync(server, incremental, "error");
        Cinder(server, "backup-reset-state", "--state", "available", incremental);
        Assert.Equal(first, await RestoredAsync(server, setup, full, Value(Cinder(server, "backup-restore", "--volume-type", "directory", full), "volume_id")));
        Assert.Equal(second, await RestoredAsync(server, setup, incremental, Value(Cinder(server, "create", "--backup-id", incremental, "--name", "from-backup", "1"), "id")));
        Cinder(server, "backup-update", "--name", "renamed", incremental);
        Assert.Equal("renamed", Value(Cinder(server, "backup-show", incremental), "name"));

        string again = WithNewId(Value(exported, "backup_url"), out string newId);
        Cinder(server, "backup-import", Value(exported, "backup_service"), again);
        await WaitAsync(server, newId, "available");
        Cinder(server, "backup-delete", incremental);
        await WaitGoneAsync(server, incremental);
        Assert.Equal(second, await RestoredAsync(server, setup, newId, Value(Cinder(server, "backup-restore", "--name", "from-import", newId), "volume_id")));
        Cinder(server, "backup-delete", "--force", newId);
        await WaitGoneAsync(server, newId);
        Cinder(server, "backup-delete", full);
        await WaitGoneAsync(server, full);
        if (setup.Environment.GetValueOrDefault("AWS_SECRET_ACCESS_KEY") is { } secret)
        {
            string record = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(again));
            Assert.DoesNotContain(secret, server.Log + record + shown, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Openstack_backs_up_restores_exports_imports_and_deletes(bool onS3)
    {
        Requires.Command("openstack");
        using ScratchDirectory directory = new();
        ServerSetup setup = await SetUpAsync(directory, onS3);
        await using ServerProcess server = await ServerProcess.StartAsync(setup);
        TestVolume volume = TestVolume.Create(setup.Volumes, 2_000_001);
        byte[] first = volume.Fill(1);

        string full = (string)OpenstackJson(server, "create", volume.Id, "--name", "full")["id"]!;
        await WaitAsync(server, full, "available");
        byte[] second = volume.Zero(0, 1_000_000);
        string incremental = (string)OpenstackJson(server, "create", volume.Id, "--name", "inc", "--incremental")["id"]!;
        await WaitAsync(server, incremental, "available");
        Assert.Equal(2, OpenstackJson(server, "list", "--long").AsArray().Count);
        Assert.Equal(full, (string?)OpenstackJson(server, "show", "full")["id"]);

        // The client of Debian's release falls over its own printing after the server has done it.
        TestVolume target = TestVolume.Create(setup.Volumes, 2_000_001);
        target.Fill(9);
        TryOpenstack(server, "restore", "--force", full, target.Id);
        Assert.Equal(first, await RestoredAsync(server, setup, full, target.Id));
        TryOpenstack(server, "restore", "--force", incremental, target.Id);
        Assert.Equal(second, await RestoredAsync(server, setup, incremental, target.Id));

        Openstack(server, "set", "--name", "renamed", "--state", "error", incremental);
        await WaitAsync(server, incremental, "error");
        Openstack(server, "set", "--state", "available", incremental);
        JsonNode record = OpenstackRecordJson(server, "export", incremental);
        Openstack(server, "delete", incremental);
        await WaitGoneAsync(server, incremental);

        // Deleted with its data, the same record is taken for what it says, and found to be empty.
        OpenstackRecordJson(server, "import", (string)record["backup_service"]!, (string)record["backup_url"]!);
        await WaitAsync(server, incremental, "error");
        Openstack(server, "delete", "--force", incremental);
        await WaitGoneAsync(server, incremental);
        Openstack(server, "delete", full);
        await WaitGoneAsync(server, full);
    }

    private static async Task<ServerSetup> SetUpAsync(ScratchDirectory directory, bool onS3)
    {
        if (!onS3)
        {
            return new(directory.Path);
        }

        S3Server s3 = await S3Server.GetAsync();
        return new(directory.Path)
        {
            Store = $"s3://{S3Server.NewBucketName()}/service",
            Environment = new Dictionary<string, string>
            {
                ["AWS_ENDPOINT_URL_S3"] = s3.Endpoint.ToString(),
                ["AWS_ACCESS_KEY_ID"] = s3.AccessKey,
                ["AWS_SECRET_ACCESS_KEY"] = s3.SecretKey,
                ["AWS_REGION"] = S3Server.Region,
            },
        };
    }

    private static string Cinder(ServerProcess server, params string[] arguments) => SystemTool.Run(
        "cinder", ["--os-auth-type", "noauth", "--os-user-id", "user1", "--os-project-id", Project, "--os-endpoint", $"{server.Address}/v3/{Project}", .. arguments]);

    private static string Openstack(ServerProcess server, params string[] arguments) => SystemTool.Run("openstack", [.. OpenstackArguments(server, "backup"), .. arguments]);

    private static void TryOpenstack(ServerProcess server, params string[] arguments) => SystemTool.TryRun("openstack", [.. OpenstackArguments(server, "backup"), .. arguments]);

    private static JsonNode OpenstackJson(ServerProcess server, params string[] arguments) => JsonNode.Parse(Openstack(server, [.. arguments, "-f", "json"]))!;

    private static JsonNode OpenstackRecordJson(ServerProcess server, params string[] arguments) =>
        JsonNode.Parse(SystemTool.Run("openstack", [.. OpenstackArguments(server, "backup"), "record", .. arguments, "-f", "json"]))!;

    private static string[] OpenstackArguments(ServerProcess server, string kind) =>
        ["--os-auth-type", "admin_token", "--os-token", "user1:" + Project, "--os-endpoint", $"{server.Address}/v3/{Project}", "--os-volume-api-version", "3.59", "volume", kind];

    /// <summary>The value beside a name in a printed table.</summary>
    private static string Value(string table, string name)
    {
        string[] cells = [.. table.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).Where(cells => cells.Length > 3 && cells[1] == name).Select(cells => cells[2])];
        Assert.True(cells.Length == 1, $"{name} in\n{table}");
        return cells[0];
    }

    private static string WithNewId(string backupUrl, out string id)
    {
        JsonNode record = JsonNode.Parse(Convert.FromBase64String(backupUrl))!;
        id = Guid.NewGuid().ToString();
        record["id"] = id;
        return Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(record.ToJsonString()));
    }

    private static async Task<byte[]> RestoredAsync(ServerProcess server, ServerSetup setup, string backup, string volume)
    {
        await WaitAsync(server, backup, "available");
        Assert.Equal("available", (string?)(await server.GetAsync($"volumes/{volume}"))["volume"]!["status"]);
        return await File.ReadAllBytesAsync(Path.Combine(setup.Volumes, volume + ".img"), ServiceUnderTest.Cancel);
    }

    private static Task WaitAsync(ServerProcess server, string id, string status) =>
        server.WaitAsync(async () => (string?)(await server.GetAsync($"backups/{id}"))["backup"]!["status"] == status, $"{id} {status}");

    private static Task WaitGoneAsync(ServerProcess server, string id) => server.WaitAsync(
        async () => !(await server.GetAsync("backups"))["backups"]!.AsArray().Any(backup => (string?)backup!["id"] == id), $"the end of {id}");
}
