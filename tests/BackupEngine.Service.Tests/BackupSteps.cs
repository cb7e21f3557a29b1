using System.Text.Json.Nodes;

namespace BackupEngine.Service.Tests;

/// <summary>What tests do with backups again and again.</summary>
internal static class BackupSteps
{
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";

    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>Makes a backup and waits until it is available.</summary>
    public static async Task<string> BackUpAsync(this ServiceUnderTest service, string volumeId, bool incremental = false, string? snapshotId = null, string? name = null)
    {
        Answer answer = await service.PostAsync(Backups, new { backup = new { volume_id = volumeId, incremental, snapshot_id = snapshotId, name } });
        Assert.True(answer.Status == 202, answer.Text);
        string id = (string)answer.Json["backup"]!["id"]!;
        await service.WaitAsync(id, "available");
        return id;
    }

    public static async Task<JsonNode> ShowAsync(this ServiceUnderTest service, string id)
    {
        Answer answer = await service.GetAsync($"{Backups}/{id}");
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json["backup"]!;
    }

    /// <summary>Waits until a backup has a status, and fails at once when it comes to rest in another.</summary>
    public static async Task WaitAsync(this ServiceUnderTest service, string id, string status)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            JsonNode backup = await service.ShowAsync(id);
            string now = (string)backup["status"]!;
            if (now == status)
            {
                return;
            }

            bool isMoving = now is "creating" or "restoring" or "deleting";
            Assert.True(isMoving && TimeProvider.System.GetElapsedTime(started) < _patience, $"{id} is {now}, not {status}: {backup["fail_reason"]}\n{string.Join("\n", service.Logs.Lines.Where(line => line.StartsWith("Error", StringComparison.Ordinal)))}");
            await Task.Delay(_poll, ServiceUnderTest.Cancel);
        }
    }

    public static async Task WaitGoneAsync(this ServiceUnderTest service, string id)
    {
        long started = TimeProvider.System.GetTimestamp();
        while ((await service.GetAsync($"{Backups}/{id}")) is { Status: 200 } answer)
        {
            Assert.True((string?)answer.Json["backup"]!["status"] == "deleting" && TimeProvider.System.GetElapsedTime(started) < _patience, answer.Text);
            await Task.Delay(_poll, ServiceUnderTest.Cancel);
        }
    }
}
