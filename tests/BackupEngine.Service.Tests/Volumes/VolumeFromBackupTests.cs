using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;

namespace BackupEngine.Service.Tests.Volumes;

/// <summary>Volumes that are made from backups (microversion 3.47).</summary>
public sealed class VolumeFromBackupTests
{
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [LongRunning]
    [Theory]
    [InlineData(null, 3_000_001L)]
    [InlineData(1, 3_000_001L)]
    [InlineData(2, 2L << 30)]
    public async Task A_volume_made_from_a_backup_holds_it(int? size, long bytes)
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync();
        TestVolume volume = TestVolume.Create(service, 3_000_001);
        byte[] content = volume.Fill(1);
        string backup = await service.BackUpAsync(volume.Id);
        JsonObject body = new() { ["backup_id"] = backup, ["name"] = "mine", ["description"] = "d", ["volume_type"] = "fast", ["metadata"] = new JsonObject { ["a"] = "b" }, ["size"] = size };
        Answer answer = await service.PostAsync(Volumes, new JsonObject { ["volume"] = body }.ToJsonString(), "3.47");
        Assert.True(answer.Status == 202, answer.Text);
        Assert.Equal(("creating", size ?? 1), ((string?)answer.Json["volume"]!["status"], (int)answer.Json["volume"]!["size"]!));
        await service.WaitAsync(backup, "available");
        string id = (string)answer.Json["volume"]!["id"]!;
        JsonNode shown = (await service.GetAsync($"{Volumes}/{id}")).Json["volume"]!;
        Assert.Equal(("available", "mine", "d"), ((string?)shown["status"], (string?)shown["name"], (string?)shown["description"]));
        Assert.Equal(("b", backup), ((string?)shown["metadata"]!["a"], (string?)shown["metadata"]!["src_backup_id"]));
        await using FileStream made = File.OpenRead(Path.Combine(service.VolumesDirectory, id + ".img"));
        Assert.Equal(bytes, made.Length);
        byte[] head = new byte[content.Length];
        await made.ReadExactlyAsync(head, ServiceUnderTest.Cancel);
        Assert.True(content.AsSpan().SequenceEqual(head));
    }

    [LongRunning]
    [Fact]
    public async Task What_cannot_be_made_is_refused_in_the_APIs_words()
    {
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { Quotas = new() { Volumes = 2 } });
        string source = (string)(await service.PostAsync(Volumes, new { volume = new { size = 2 } })).Json["volume"]!["id"]!;
        string backup = await service.BackUpAsync(source);
        string missing = Guid.NewGuid().ToString();
        foreach ((object volume, string version, int status, string message) in new (object, string, int, string)[]
        {
            (new { size = 1, backup_id = backup }, "3.47", 400, "Invalid input received: Volume size 1GB cannot be smaller than the backup size 2GB. It must be >= backup size."),
            (new { size = 2, backup_id = missing }, "3.47", 404, $"Backup {missing} could not be found."),
            (new { size = 2, backup_id = "x" }, "3.47", 400, "Invalid input for field/attribute backup_id. Value: x. 'x' is not valid under any of the given schemas"),
            (new { size = 2, backup_id = backup }, "3.46", 400, "Volumes cannot be made here with 'backup_id'."),
            (new { backup_id = (string?)null }, "3.47", 400, "'size' is a required property"),
        })
        {
            Answer answer = await service.PostAsync(Volumes, new { volume }, version);
            Assert.Equal((status, message), (answer.Status, answer.Message));
        }

        await service.PostAsync($"/v3/{ServiceUnderTest.Project}/backups/{backup}/action", """{"os-reset_status": {"status": "error"}}""");
        Answer unavailable = await service.PostAsync(Volumes, new { volume = new { backup_id = backup } }, "3.47");
        Assert.Equal((400, "Invalid backup: Originating backup status must be one of 'available' values"), (unavailable.Status, unavailable.Message));
        await service.PostAsync($"/v3/{ServiceUnderTest.Project}/backups/{backup}/action", """{"os-reset_status": {"status": "available"}}""");
        Assert.Equal(404, (await service.PostAsync($"/v3/{ServiceUnderTest.OtherProject}/volumes", new { volume = new { backup_id = backup } }, "3.47", "u:" + ServiceUnderTest.OtherProject)).Status);
        Assert.Equal(202, (await service.PostAsync(Volumes, new { volume = new { backup_id = backup } }, "3.47")).Status);
        await service.WaitAsync(backup, "available");
        Assert.Equal(413, (await service.PostAsync(Volumes, new { volume = new { backup_id = backup } }, "3.47")).Status);
        Assert.Equal("available", (string?)(await service.ShowAsync(backup))["status"]);
    }
}
