using System.Text.Json.Nodes;
using BackupEngine.Service.Catalog;
using BackupEngine.TestKit.Requirements;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests;

/// <summary>Which requests about backups are refused, and with what words.</summary>
public sealed class BackupRulesTests
{
    private const string Project = ServiceUnderTest.Project;
    private const string Backups = $"/v3/{Project}/backups";

    [LongRunning]
    [Theory]
    [InlineData("""{"backup": {}}""", "Invalid input for field/attribute backup. Value: {}. 'volume_id' is a required property")]
    [InlineData("""{"backup": null}""", "Invalid input for field/attribute backup. Value: None. None is not of type 'object'")]
    [InlineData("""{"backup": {"volume_id": 5}}""", "Invalid input for field/attribute volume_id. Value: 5. 5 is not of type 'string'")]
    [InlineData("""{"backup": {"volume_id": "11111111-2222-3333-4444-555555555555", "force": 1}}""", "Invalid input for field/attribute force. Value: 1. 1 is not of type 'boolean', 'string'")]
    [InlineData("""{"backup": {"volume_id": "11111111-2222-3333-4444-555555555555", "name": 1}}""", "Invalid input for field/attribute name. Value: 1. 1 is not of type 'string', 'null'")]
    [InlineData("""{"backup": {"volume_id": "11111111-2222-3333-4444-555555555555", "availability_zone": "z"}}""", "Invalid input for field/attribute backup. Value: {'volume_id': '11111111-2222-3333-4444-555555555555', 'availability_zone': 'z'}. Additional properties are not allowed ('availability_zone' was unexpected)")]
    [InlineData("""{"backup": {"volume_id": "it's"}}""", "Invalid input for field/attribute volume_id. Value: it's. \"it's\" is not a 'uuid'")]
    public async Task Bodies_that_do_not_fit_are_refused_in_the_APIs_words(string body, string message)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.PostAsync(Backups, body);
        Assert.Equal((400, message), (answer.Status, answer.Message));
    }

    [LongRunning]
    [Theory]
    [InlineData("""{"a b": "x", "": "y"}""", "Invalid input for field/attribute metadata. Value: {'a b': 'x', '': 'y'}. '' does not match any of the regexes: '^[a-zA-Z0-9-_:. /]{1,255}$'")]
    [InlineData("""{"@project_id": "x"}""", "Invalid input for field/attribute metadata. Value: {'@project_id': 'x'}. '@project_id' does not match any of the regexes: '^[a-zA-Z0-9-_:. /]{1,255}$'")]
    [InlineData("""{"a": null}""", "Invalid input for field/attribute a. Value: None. None is not of type 'string'")]
    [InlineData("[]", "Invalid input for field/attribute metadata. Value: []. [] is not of type 'object', 'null'")]
    public async Task Metadata_that_does_not_fit_is_refused(string metadata, string message)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        Answer answer = await service.PostAsync(Backups, $$$"""{"backup": {"volume_id": "11111111-2222-3333-4444-555555555555", "metadata": {{{metadata}}}}}""", "3.43");
        Assert.Equal((400, message), (answer.Status, answer.Message));
    }

    [LongRunning]
    [Theory]
    [InlineData("true", true)]
    [InlineData("\"YES\"", true)]
    [InlineData("\"t\"", true)]
    [InlineData("\"off\"", false)]
    [InlineData("false", false)]
    public async Task Booleans_have_many_words(string word, bool isIncremental)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        Answer answer = await service.PostAsync(Backups, $$$"""{"backup": {"volume_id": "{{{volume.Id}}}", "incremental": {{{word}}}}}""");
        Assert.Equal(isIncremental ? 400 : 202, answer.Status);
    }

    [LongRunning]
    [Fact]
    public async Task Names_and_descriptions_lose_the_spaces_around_them()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        JsonNode created = (await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id.ToUpperInvariant(), name = "  n ", description = " d " } })).Json["backup"]!;
        Assert.Equal("n", (string?)created["name"]);
        Assert.Equal(["id", "name", "links"], created.AsObject().Select(pair => pair.Key));
        Assert.Equal("d", (string?)(await service.ShowAsync((string)created["id"]!))["description"]);
    }

    [Fact]
    public async Task The_parent_is_the_available_one_with_the_latest_data_in_the_callers_project()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        DateTime time = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await AddAsync(service, volume.Id, Project, "available", time, "old");
        string expected = await AddAsync(service, volume.Id, Project, "available", time.AddHours(1), "right");
        await AddAsync(service, volume.Id, Project, "error", time.AddHours(2), "failed");
        await AddAsync(service, volume.Id, ServiceUnderTest.OtherProject, "available", time.AddHours(3), "other's");
        await AddAsync(service, Guid.NewGuid().ToString(), Project, "available", time.AddHours(3), "another volume's");
        string id = (string)(await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, incremental = true } })).Json["backup"]!["id"]!;

        await using CatalogContext catalog = service.Catalog.Open();
        Assert.Equal(expected, await catalog.Backups.Where(row => row.Id == id).Select(row => row.ParentId).SingleAsync(ServiceUnderTest.Cancel));
    }

    [Fact]
    public async Task A_parent_cannot_be_deleted_while_its_child_is_being_made()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create(service, 1000);
        string parent = await AddAsync(service, volume.Id, Project, "available", DateTime.UtcNow.AddHours(-1), "parent");
        Assert.Equal(202, (await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, incremental = true } })).Status);
        Assert.False((bool)(await service.ShowAsync(parent))["has_dependent_backups"]!);
        Assert.Equal("Invalid backup: Incremental backups exist for this backup.", (await service.DeleteAsync($"{Backups}/{parent}")).Message);
        Assert.Equal("Invalid backup: Incremental backups exist for this backup.", (await service.PostAsync($"{Backups}/{parent}/action", """{"os-force_delete": {}}""")).Message);
    }

    [LongRunning]
    [Fact]
    public async Task An_in_use_volume_that_cannot_be_frozen_is_backed_up_only_when_it_is_known_to_be_quiet()
    {
        await using ServiceUnderTest strict = await ServiceUnderTest.StartAsync(runsJobs: false);
        TestVolume volume = TestVolume.Create("/dev/shm", 1000);
        string link = Path.Combine(strict.VolumesDirectory, volume.Id + ".img");
        File.CreateSymbolicLink(link, volume.Path);
        await strict.PostAsync($"/v3/{Project}/volumes/{volume.Id}/action", """{"os-attach": {"mountpoint": "/dev/vdb"}}""");
        Answer answer = await strict.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } });
        Assert.Equal(400, answer.Status);
        Assert.Contains("quiesced", answer.Message, StringComparison.Ordinal);
        Assert.Equal("in-use", (string?)(await strict.GetAsync($"/v3/{Project}/volumes/{volume.Id}")).Json["volume"]!["status"]);

        await using ServiceUnderTest trusting = await ServiceUnderTest.StartAsync(new() { InUseVolumesAreQuiesced = true }, directory: strict.Directory);
        string id = (string)(await trusting.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } })).Json["backup"]!["id"]!;
        await trusting.WaitAsync(id, "available");
        Assert.Equal("in-use", (string?)(await trusting.GetAsync($"/v3/{Project}/volumes/{volume.Id}")).Json["volume"]!["status"]);
        await trusting.DisposeAsync();
        File.Delete(volume.Path);
    }

    [Fact]
    public async Task Quotas_hold_for_each_project_alone()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { Quotas = new() { Backups = 1 } }, runsJobs: false);
        TestVolume first = TestVolume.Create(service, 1000);
        TestVolume second = TestVolume.Create(service, 1000);
        Assert.Equal(202, (await service.PostAsync(Backups, new { backup = new { volume_id = first.Id } })).Status);
        Answer refused = await service.PostAsync(Backups, new { backup = new { volume_id = second.Id } });
        Assert.Equal((413, "BackupLimitExceeded: Maximum number of backups allowed (1) exceeded", "0"), (refused.Status, refused.Message, refused.Headers["retry-after"]));
        Assert.Equal("available", (string?)(await service.GetAsync($"/v3/{Project}/volumes/{second.Id}")).Json["volume"]!["status"]);
        Assert.Equal(202, (await service.PostAsync($"/v3/{ServiceUnderTest.OtherProject}/backups", new { backup = new { volume_id = second.Id } }, token: "u:" + ServiceUnderTest.OtherProject)).Status);
    }

    [Fact]
    public async Task Quotas_are_set_as_the_cinder_client_does_it()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false);
        const string Quotas = $"/v3/{Project}/os-quota-sets/{Project}";
        Answer answer = await service.SendAsync(HttpMethod.Put, Quotas, new { quota_set = new { tenant_id = Project, backups = 7 } });
        Assert.Equal((200, 7), (answer.Status, (int)answer.Json["quota_set"]!["backups"]!));
        Assert.Equal(7, (int)(await service.GetAsync(Quotas)).Json["quota_set"]!["backups"]!);
    }

    [Fact]
    public async Task Settings_that_make_no_sense_are_named()
    {
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => ServiceUnderTest.StartAsync(new() { Auth = AuthMode.Tokens }));
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => ServiceUnderTest.StartAsync(new() { Auth = AuthMode.Keystone }));
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => ServiceUnderTest.StartAsync(new() { MaxConcurrentJobs = 0 }));
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => ServiceUnderTest.StartAsync(new() { Compression = "gzip" }));
        await Assert.ThrowsAsync<ServiceConfigurationException>(() => ServiceUnderTest.StartAsync(new() { Auth = AuthMode.Tokens, Tokens = [new() { Token = "short", User = "u", Project = "p" }] }));
    }

    private static async Task<string> AddAsync(ServiceUnderTest service, string volumeId, string project, string status, DateTime time, string name)
    {
        string id = Guid.NewGuid().ToString();
        await using CatalogContext catalog = service.Catalog.Open();
        catalog.Backups.Add(new()
        {
            Id = id,
            ProjectId = project,
            UserId = "u",
            Status = status,
            Name = name,
            VolumeId = volumeId,
            Size = 1,
            CreatedAt = time,
            DataTimestamp = time,
            IsCommitted = true,
        });
        await catalog.SaveChangesAsync(ServiceUnderTest.Cancel);
        return id;
    }
}
