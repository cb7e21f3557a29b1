using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests.Volumes;

/// <summary>Tests the exact members of volumes and snapshots in answers. Tempest validates them against schemas that allow no others.</summary>
public sealed partial class VolumeAnswerTests
{
    private const string AdminToken = "an-administrators-token";
    private const string MemberToken = "a-members-long-token";
    private const string Project = ServiceUnderTest.Project;
    private const string Volumes = $"/v3/{Project}/volumes";
    private const string Snapshots = $"/v3/{Project}/snapshots";

    private static readonly BackupServiceOptions _withTokens = new()
    {
        Auth = AuthMode.Tokens,
        Tokens =
        [
            new() { Token = AdminToken, User = "admin", Project = Project, Admin = true },
            new() { Token = MemberToken, User = "member", Project = Project },
        ],
    };

    private static readonly string[] _common =
    [
        "attachments", "availability_zone", "bootable", "consistencygroup_id", "created_at", "description", "encrypted", "id", "links", "metadata",
        "multiattach", "name", "replication_status", "size", "snapshot_id", "source_volid", "status", "updated_at", "user_id", "volume_type",
    ];

    private static readonly string[] _shownToAdministrators = ["os-vol-host-attr:host", "os-vol-mig-status-attr:migstat", "os-vol-mig-status-attr:name_id"];

    private static readonly string[] _snapshot = ["created_at", "description", "id", "metadata", "name", "size", "status", "updated_at", "volume_id"];

    [LongRunning]
    [Theory]
    [InlineData(MemberToken, false, null)]
    [InlineData(MemberToken, false, "3.70")]
    [InlineData(AdminToken, true, null)]
    [InlineData(AdminToken, true, "3.70")]
    public async Task CreateVolume_ByRole_AnswersWithoutExtendedAttributes(string token, bool isAdmin, string? version)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        Answer created = await service.PostAsync(Volumes, new { volume = new { size = 1 } }, version, token);
        Assert.Equal(202, created.Status);
        Assert.Equal(Sorted(_common, isAdmin ? ["migration_status"] : []), MembersOf(created.Json["volume"]!));
    }

    [Fact]
    public async Task CreateVolume_FromBackup_AnswersWithoutExtendedAttributes()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 1000);
        string backup = await service.BackUpAsync(volume.Id);
        Answer created = await service.PostAsync(Volumes, new { volume = new { backup_id = backup } }, "3.47");
        Assert.Equal(202, created.Status);
        Assert.Equal(Sorted(_common, ["migration_status"]), MembersOf(created.Json["volume"]!));
        await service.WaitAsync(backup, "available");
    }

    [LongRunning]
    [Theory]
    [InlineData(MemberToken, false, null)]
    [InlineData(MemberToken, false, "3.70")]
    [InlineData(AdminToken, true, null)]
    [InlineData(AdminToken, true, "3.70")]
    public async Task ShowAndListVolumes_ByRole_AnswerWithExtendedAttributes(string token, bool isAdmin, string? version)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        string id = (string)(await service.PostAsync(Volumes, new { volume = new { size = 1 } }, token: MemberToken)).Json["volume"]!["id"]!;
        string[] expected = Sorted(_common, ["os-vol-tenant-attr:tenant_id", .. isAdmin ? [.. _shownToAdministrators, "migration_status"] : Array.Empty<string>()]);
        JsonNode shown = (await service.GetAsync($"{Volumes}/{id}", version, token)).Json["volume"]!;
        JsonNode listed = Assert.Single((await service.GetAsync($"{Volumes}/detail", version, token)).Json["volumes"]!.AsArray())!;
        Assert.Equal(expected, MembersOf(shown));
        Assert.Equal(expected, MembersOf(listed));
        Assert.Equal(Project, (string?)shown["os-vol-tenant-attr:tenant_id"]);
        JsonNode summary = Assert.Single((await service.GetAsync(Volumes, version, token)).Json["volumes"]!.AsArray())!;
        Assert.Equal(["id", "links", "name"], MembersOf(summary));
    }

    [Fact]
    public async Task ShowVolume_ByAdministrator_NamesHostBackendAndPool()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        string id = (string)(await service.PostAsync(Volumes, new { volume = new { size = 1 } }, token: AdminToken)).Json["volume"]!["id"]!;
        string host = (string)(await service.GetAsync($"{Volumes}/{id}", token: AdminToken)).Json["volume"]!["os-vol-host-attr:host"]!;
        Assert.Equal("backup-engine@directory#directory", host);
        Assert.Matches(HostBackendPool(), host);
    }

    [Fact]
    public async Task CreateSnapshot_ByAdministrator_AnswersWithoutExtendedAttributes()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(_withTokens, runsJobs: false);
        string volume = (string)(await service.PostAsync(Volumes, new { volume = new { size = 1 } }, token: AdminToken)).Json["volume"]!["id"]!;
        Answer created = await service.PostAsync(Snapshots, new { snapshot = new { volume_id = volume } }, token: AdminToken);
        Assert.Equal(202, created.Status);
        Assert.Equal(_snapshot, MembersOf(created.Json["snapshot"]!));
        JsonNode shown = (await service.GetAsync($"{Snapshots}/{created.Json["snapshot"]!["id"]}", token: AdminToken)).Json["snapshot"]!;
        Assert.Equal(Sorted(_snapshot, ["os-extended-snapshot-attributes:progress", "os-extended-snapshot-attributes:project_id"]), MembersOf(shown));
    }

    private static string[] MembersOf(JsonNode node) => Sorted(node.AsObject().Select(member => member.Key), []);

    private static string[] Sorted(IEnumerable<string> names, IEnumerable<string> more) => [.. names.Concat(more).Order(StringComparer.Ordinal)];

    // The pattern of Tempest's schema.
    [GeneratedRegex(".+@.+#.+")]
    private static partial Regex HostBackendPool();
}
