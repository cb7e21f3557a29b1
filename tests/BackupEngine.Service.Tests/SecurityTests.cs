using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests;

/// <summary>Attempts to get at what is somebody else's, or nobody's business.</summary>
public sealed class SecurityTests
{
    private const string AdminToken = "an-administrators-token";
    private const string MemberToken = "a-members-long-token";
    private const string OtherToken = "another-projects-token";
    private const string Project = ServiceUnderTest.Project;
    private const string Other = ServiceUnderTest.OtherProject;
    private const string Backups = $"/v3/{Project}/backups";

    private static readonly BackupServiceOptions _withTokens = new()
    {
        Auth = AuthMode.Tokens,
        FoundVolumesProject = Project,
        Tokens =
        [
            new() { Token = AdminToken, User = "admin", Project = Project, Admin = true },
            new() { Token = MemberToken, User = "member", Project = Project },
            new() { TokenSha256 = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(OtherToken))), User = "other", Project = Other },
        ],
    };

    [LongRunning]
    [Theory]
    [InlineData("user1:" + Project)]
    [InlineData("an-administrators-tokem")]
    [InlineData("an-administrators-token ")]
    [InlineData("AN-ADMINISTRATORS-TOKEN")]
    [InlineData("' OR 1=1 --")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Forged_tokens_are_refused(string? token)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        Answer answer = await service.GetAsync(Backups, token: token);
        Assert.Equal((401, "unauthorized"), (answer.Status, answer.Fault));
        Assert.True(answer.Headers.ContainsKey("x-openstack-request-id"));
        Assert.Equal(200, (await service.GetAsync("/v3/", token: token)).Status);
    }

    [Fact]
    public async Task Projects_never_see_each_others_backups_and_volumes()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens);
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, name = "secret" } }, token: MemberToken)).Json["backup"]!["id"]!;
        while ((string?)(await service.GetAsync($"{Backups}/{id}", token: MemberToken)).Json["backup"]!["status"] == "creating")
        {
            await Task.Delay(20, ServiceUnderTest.Cancel);
        }

        string theirs = $"/v3/{Other}/backups";
        foreach (Answer answer in new[]
        {
            await service.GetAsync($"{theirs}/{id}", token: OtherToken),
            await service.DeleteAsync($"{theirs}/{id}", OtherToken),
            await service.PostAsync($"{theirs}/{id}/restore", new { restore = new { } }, token: OtherToken),
            await service.SendAsync(HttpMethod.Put, $"{theirs}/{id}", new { backup = new { name = "mine" } }, "3.9", OtherToken),
            await service.GetAsync($"{theirs}?marker={id}", token: OtherToken),
            await service.GetAsync($"/v1/backups/{id}/progress", token: OtherToken),
            await service.GetAsync($"/v3/{Other}/volumes/{volume.Id}", token: OtherToken),
            await service.PostAsync(theirs, new { backup = new { volume_id = volume.Id } }, token: OtherToken),
            await service.DeleteAsync($"/v3/{Other}/volumes/{volume.Id}", OtherToken),
            await service.PostAsync($"/v3/{Other}/snapshots", new { snapshot = new { volume_id = volume.Id } }, token: OtherToken),
        })
        {
            Assert.Equal(404, answer.Status);
            Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
        }

        Assert.Equal("""{"backups":[]}""", (await service.GetAsync($"{theirs}?all_tenants=1", token: OtherToken)).Text);
        Assert.Equal("""{"backups":[]}""", (await service.GetAsync($"/v3/backups?project_id={Project}", token: OtherToken)).Text);
        Assert.Equal((400, "Malformed request url"), ((await service.GetAsync(Backups, token: OtherToken)).Status, (await service.GetAsync(Backups, token: OtherToken)).Message));
        Assert.Equal(200, (await service.GetAsync($"{Backups}/{id}", token: AdminToken)).Status);
    }

    [Fact]
    public async Task Without_authentication_projects_do_not_see_each_others_backups_either()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = await service.BackUpAsync(volume.Id);
        Assert.Equal(404, (await service.GetAsync($"/v3/{Other}/backups/{id}", token: "u:" + Other)).Status);
        Assert.Equal("""{"backups":[]}""", (await service.GetAsync($"/v3/{Other}/backups", token: "u:" + Other)).Text);
        Assert.Contains(id, (await service.GetAsync($"/v3/{Other}/backups?all_tenants=1", token: "u:" + Other)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Members_may_not_do_what_administrators_may()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        string id = Guid.NewGuid().ToString();
        foreach (Answer answer in new[]
        {
            await service.GetAsync($"{Backups}/{id}/export_record", token: MemberToken),
            await service.PostAsync($"{Backups}/import_record", """{"backup-record": {"backup_service": "x", "backup_url": "abcd"}}""", token: MemberToken),
            await service.PostAsync($"{Backups}/{id}/action", """{"os-force_delete": null}""", token: MemberToken),
            await service.PostAsync($"{Backups}/{id}/action", """{"os-reset_status": {"status": "error"}}""", token: MemberToken),
            await service.SendAsync(HttpMethod.Put, $"/v3/{Project}/os-quota-sets/{Project}", """{"quota_set": {"backups": -1}}""", token: MemberToken),
            await service.GetAsync($"/v3/{Project}/os-quota-sets/{Other}", token: MemberToken),
        })
        {
            Assert.Equal((403, "forbidden"), (answer.Status, answer.Fault));
        }

        Answer filtered = await service.GetAsync($"{Backups}?project_id=x", "3.31", MemberToken);
        Assert.Equal((400, "Invalid filters project_id are found in query options."), (filtered.Status, filtered.Message));
    }

    [LongRunning]
    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%2e%2e/secret")]
    [InlineData("x' OR '1'='1")]
    [InlineData("%F0%9F%92%A9")]
    public async Task Strange_ids_find_nothing_and_touch_nothing(string id)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        await File.WriteAllTextAsync(Path.Combine(service.Directory, "secret.img"), "secret", ServiceUnderTest.Cancel);
        foreach (string path in new[] { $"{Backups}/{id}", $"/v3/{Project}/volumes/{id}", $"/v3/{Project}/snapshots/{id}", $"{Backups}/{id}/export_record" })
        {
            Answer answer = await service.GetAsync(path);
            Assert.Equal((404, "itemNotFound"), (answer.Status, answer.Fault));
        }

        Assert.Equal(404, (await service.DeleteAsync($"/v3/{Project}/volumes/{id}")).Status);
        Assert.True(File.Exists(Path.Combine(service.Directory, "secret.img")));
    }

    [LongRunning]
    [Theory]
    [InlineData("../up")]
    [InlineData("a/../../b")]
    [InlineData("/etc")]
    [InlineData("..")]
    [InlineData("a\\b")]
    [InlineData("a\u0000b")]
    [InlineData("a\nb")]
    public async Task Containers_that_walk_paths_are_refused(string container)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        Answer answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, container } });
        Assert.Equal((400, "badRequest"), (answer.Status, answer.Fault));
        Assert.Contains("container", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_points_elsewhere_is_not_imported()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 100_000);
        volume.Fill(1);
        string id = await service.BackUpAsync(volume.Id);
        await File.WriteAllTextAsync(Path.Combine(service.Directory, "secret"), "secret", ServiceUnderTest.Cancel);
        JsonNode record = JsonNode.Parse(Convert.FromBase64String((string)(await service.GetAsync($"{Backups}/{id}/export_record")).Json["backup-record"]!["backup_url"]!))!;
        foreach ((string field, string value) in new[] { ("manifest", "../secret"), ("manifest", "volumes/../../secret"), ("manifest", "nosuch"), ("volume_id", "../../x"), ("snapshot_id", "a\0b"), ("manifest_sha256", new string('0', 64)) })
        {
            JsonNode own = JsonNode.Parse(Convert.FromBase64String((string)record["service_metadata"]!))!;
            own[field] = value;
            JsonNode forged = record.DeepClone();
            forged["id"] = Guid.NewGuid().ToString();
            forged["service_metadata"] = Encode(own);
            Assert.Equal(201, (await ImportAsync(service, forged)).Status);
            await service.WaitAsync((string)forged["id"]!, "error");
            Assert.DoesNotContain("internal error", (string?)(await service.ShowAsync((string)forged["id"]!))["fail_reason"], StringComparison.Ordinal);
        }

        foreach (string forgedId in new[] { "../x", "x", "" })
        {
            JsonNode forged = record.DeepClone();
            forged["id"] = forgedId;
            Assert.Equal((400, "Invalid input received: Can't parse backup record."), ((await ImportAsync(service, forged)).Status, (await ImportAsync(service, forged)).Message));
        }
    }

    [LongRunning]
    [Theory]
    [InlineData("container", "../../etc")]
    [InlineData("container", "/etc")]
    [InlineData("display_name", "a\0b")]
    [InlineData("unknown", "a\0b")]
    [InlineData("display_name", null)]
    [InlineData("display_description", null)]
    [InlineData("availability_zone", null)]
    [InlineData("encryption_key_id", null)]
    public async Task A_record_says_nothing_that_a_request_may_not_say(string field, string? value)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        JsonObject record = new() { ["id"] = Guid.NewGuid().ToString(), ["size"] = 1, ["service_metadata"] = "x", [field] = value ?? new string('x', 256) };
        Assert.Equal(400, (await ImportAsync(service, record)).Status);
    }

    [LongRunning]
    [Theory]
    [InlineData("""{"id": "\ud800", "size": 1}""")]
    [InlineData("""{"id": "11111111-2222-3333-4444-555555555555", "size": 1, "display_name": "\ud800"}""")]
    [InlineData("""{"id": "11111111-2222-3333-4444-555555555555", "size": 1, "\udc00": 1}""")]
    public async Task A_record_with_half_a_character_cannot_be_parsed(string record)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.PostAsync($"{Backups}/import_record", new JsonObject
        {
            ["backup-record"] = new JsonObject { ["backup_service"] = "s", ["backup_url"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(record)) },
        });
        Assert.Equal((400, "Invalid input received: Can't parse backup record."), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task Reasons_of_failures_do_not_tell_where_things_are()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        volume.Fill(1);
        string good = await service.BackUpAsync(volume.Id);
        string packs = Path.Combine(service.Directory, "store", "volumes", volume.Id, "packs");
        Directory.Move(packs, packs + "-away");
        await File.WriteAllTextAsync(packs, "", ServiceUnderTest.Cancel);
        Assert.StartsWith($"the container cannot be used: it failed (volumes/{volume.Id}/packs/", await FailAsync(service, volume.Id), StringComparison.Ordinal);

        File.Delete(volume.Path);
        Assert.Equal($"volume '{volume.Id}.img' does not exist", await FailAsync(service, volume.Id));
        Assert.Equal("available", (string?)(await service.ShowAsync(good))["status"]);
    }

    [LongRunning]
    [Theory]
    [InlineData("application/json", 404)]
    [InlineData("APPLICATION/JSON; charset=utf-8", 404)]
    [InlineData(null, 404)]
    [InlineData("text/plain", 415)]
    [InlineData("application/problem+json", 415)]
    public async Task A_body_that_does_not_say_that_it_is_JSON_is_refused(string? type, int status)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        ByteArrayContent body = new(Encoding.UTF8.GetBytes("""{"backup": {"volume_id": "11111111-2222-3333-4444-555555555555"}}"""));
        if (type is not null)
        {
            body.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        Assert.Equal(status, (await service.PostAsync(Backups, body)).Status);
    }

    [Fact]
    public async Task Bodies_that_are_too_long_or_broken_are_refused()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.PostAsync(Backups, $$$"""{"backup": {"volume_id": "{{{new string('x', 200_000)}}}"}}""");
        Assert.Equal((413, "overLimit"), (answer.Status, answer.Fault));
        foreach (string body in new[] { "{", "", "[[[[", "{\"backup\": {\"volume_id\": \"\\ud800\"}}", "{\"a\": \"\\u0000\", \"b\": \"\\ud800\"}", new string('[', 5000), "{\"backup\": {}, \"backup\": {}}", "\u0000" })
        {
            answer = await service.PostAsync(Backups, body);
            Assert.Equal((400, "Malformed request body"), (answer.Status, answer.Message));
        }
    }

    [LongRunning]
    [Fact]
    public async Task What_looks_like_SQL_is_a_name_like_any_other()
    {
        const string Name = "'); DROP TABLE backups; --";
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = await service.BackUpAsync(volume.Id, name: Name);
        Assert.Contains(id, (await service.GetAsync($"{Backups}?name={Uri.EscapeDataString(Name)}")).Text, StringComparison.Ordinal);
        Assert.Equal(Name, (string?)(await service.ShowAsync(id))["name"]);
        Assert.Equal("""{"backups":[]}""", (await service.GetAsync($"{Backups}?status={Uri.EscapeDataString("x' OR 1=1 --")}")).Text);
    }

    [Fact]
    public async Task A_restored_volume_is_named_but_not_stored_by_its_name()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        string id = await service.BackUpAsync(volume.Id);
        Answer answer = await service.PostAsync($"{Backups}/{id}/restore", new { restore = new { name = "../../../tmp/evil" } });
        await service.WaitAsync(id, "available");
        Assert.Equal("../../../tmp/evil", (string?)answer.Json["restore"]!["volume_name"]);
        Assert.Equal(2, Directory.GetFiles(service.VolumesDirectory).Length);
    }

    [Fact]
    public void Without_authentication_the_service_listens_on_loopback_only()
    {
        OptionsValidation.CheckAddress("http://127.0.0.1:1;http://[::1]:2;http://localhost:3", AuthMode.NoAuth);
        OptionsValidation.CheckAddress("http://0.0.0.0:8776", AuthMode.Keystone);
        foreach (string address in new[] { "http://0.0.0.0:8776", "http://*:8776", "http://10.0.0.1:8776", "http://[::]:8776", "http://example.org", "nonsense", "ftp://127.0.0.1" })
        {
            Assert.Throws<ServiceConfigurationException>(() => OptionsValidation.CheckAddress(address, AuthMode.NoAuth));
        }
    }

    private static async Task<string> FailAsync(ServiceUnderTest service, string volumeId)
    {
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volumeId } })).Json["backup"]!["id"]!;
        await service.WaitAsync(id, "error");
        return (string)(await service.ShowAsync(id))["fail_reason"]!;
    }

    private static Task<Answer> ImportAsync(ServiceUnderTest service, JsonNode record) => service.PostAsync($"{Backups}/import_record", new JsonObject
    {
        ["backup-record"] = new JsonObject { ["backup_service"] = BackupEngine.Catalog.ExportedRecord.ServiceName, ["backup_url"] = Encode(record) },
    });

    private static string Encode(JsonNode node) => Convert.ToBase64String(Encoding.UTF8.GetBytes(node.ToJsonString()));
}
