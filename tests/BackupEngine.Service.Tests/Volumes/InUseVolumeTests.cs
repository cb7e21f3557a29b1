using BackupEngine.Service.Catalog;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Tests.Volumes;

/// <summary>Volumes that somebody writes to while they are backed up: on real file systems that can share bytes, and on some that cannot.</summary>
public sealed class InUseVolumeTests
{
    private const int Size = 24 << 20;
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [Theory]
    [InlineData("xfs")]
    [InlineData("btrfs")]
    public async Task The_backup_holds_what_the_volume_held_when_it_was_asked_for(string fileSystem)
    {
        using LoopDevice device = Formatted(fileSystem);
        MountPoint mount = device.Mount();
        await using GatedObjectStore store = new();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(store: store, directory: mount.Path);
        TestVolume volume = await AttachedAsync(service);
        byte[] frozen = volume.Fill(1);
        string backup = await ForceAsync(service, volume);
        volume.Fill(2);
        await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);
        Assert.Single(Snapshots(service));
        volume.Fill(3);
        Assert.Equal("backing-up", await StatusAsync(service, volume));

        store.Open();
        await service.WaitAsync(backup, "available");
        Assert.Equal("in-use", await StatusAsync(service, volume));
        await NoSnapshotsAsync(service);
        byte[] restored = await RestoredAsync(service, backup);
        Assert.True(frozen.AsSpan().SequenceEqual(restored));
    }

    [Fact]
    public async Task However_the_backup_ends_its_snapshot_is_gone_and_the_volume_in_use_again()
    {
        using LoopDevice device = Formatted("xfs");
        MountPoint mount = device.Mount();
        await using (GatedObjectStore store = new())
        await using (ServiceUnderTest failing = await ServiceUnderTest.StartAsync(store: store, directory: mount.Path))
        {
            TestVolume volume = await AttachedAsync(failing);
            string backup = await ForceAsync(failing, volume);
            await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);
            store.Break();
            await failing.WaitAsync(backup, "error");
            await NoSnapshotsAsync(failing);
            Assert.Equal("in-use", await StatusAsync(failing, volume));
        }

        await using (GatedObjectStore store = new())
        await using (ServiceUnderTest cancelling = await ServiceUnderTest.StartAsync(store: store, directory: mount.Path))
        {
            TestVolume volume = await AttachedAsync(cancelling);
            string backup = await ForceAsync(cancelling, volume);
            await store.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);
            await cancelling.PostAsync($"{Backups}/{backup}/action", """{"os-force_delete": null}""");
            await cancelling.WaitGoneAsync(backup);
            await NoSnapshotsAsync(cancelling);
            Assert.Equal("in-use", await StatusAsync(cancelling, volume));
        }

        await using GatedObjectStore last = new();
        ServiceUnderTest stopping = await ServiceUnderTest.StartAsync(store: last, directory: mount.Path);
        await ForceAsync(stopping, await AttachedAsync(stopping));
        await last.Reached.WaitAsync(TimeSpan.FromSeconds(30), ServiceUnderTest.Cancel);
        await stopping.DisposeAsync();
        Assert.Empty(Snapshots(stopping));
    }

    [Theory]
    [InlineData("""{"os-force_delete": null}""")]
    [InlineData("""{"os-reset_status": {"status": "error"}}""")]
    public async Task A_backup_that_is_called_off_before_it_began_leaves_no_snapshot(string action)
    {
        using LoopDevice device = Formatted("xfs");
        MountPoint mount = device.Mount();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false, directory: mount.Path);
        TestVolume volume = await AttachedAsync(service);
        string backup = await ForceAsync(service, volume);
        Assert.Single(Snapshots(service));
        Assert.Equal(202, (await service.PostAsync($"{Backups}/{backup}/action", action)).Status);
        Assert.Empty(Snapshots(service));
        Assert.Equal("in-use", await StatusAsync(service, volume));
    }

    [Fact]
    public async Task A_restarted_server_backs_up_from_snapshots_that_wait_and_removes_those_that_nobody_needs()
    {
        using LoopDevice device = Formatted("xfs");
        MountPoint mount = device.Mount();
        ServiceUnderTest dead = await ServiceUnderTest.StartAsync(runsJobs: false, directory: mount.Path);
        TestVolume cutOff = await AttachedAsync(dead);
        TestVolume waiting = await AttachedAsync(dead);
        byte[] frozen = waiting.Fill(5);
        string begun = await ForceAsync(dead, cutOff);
        string queued = await ForceAsync(dead, waiting);
        waiting.Fill(6);
        string kept = (string)(await dead.PostAsync($"/v3/{ServiceUnderTest.Project}/snapshots", new { snapshot = new { volume_id = TestVolume.Create(dead, 1000).Id } })).Json["snapshot"]!["id"]!;
        await using (CatalogContext catalog = dead.Catalog.Open())
        {
            await catalog.Backups.Where(row => row.Id == begun).ExecuteUpdateAsync(set => set.SetProperty(row => row.RunningJobId, row => row.JobId), ServiceUnderTest.Cancel);
        }

        // Killed between the snapshot and the commit of its backup, a while ago.
        string forgotten = Path.Combine(dead.VolumesDirectory, ".snapshots", $"backup-{Guid.NewGuid()}.img");
        await File.WriteAllTextAsync(forgotten, "x", ServiceUnderTest.Cancel);
        foreach (string snapshot in Snapshots(dead))
        {
            File.SetLastWriteTimeUtc(snapshot, DateTime.UtcNow.AddHours(-1));
        }

        await dead.DisposeAsync();
        await using ServiceUnderTest next = await ServiceUnderTest.StartAsync(directory: mount.Path);
        await next.WaitAsync(begun, "error");
        await next.WaitAsync(queued, "available");
        await NoSnapshotsAsync(next, kept);
        byte[] restored = await RestoredAsync(next, queued);
        Assert.True(frozen.AsSpan().SequenceEqual(restored));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_file_system_that_cannot_share_bytes_refuses_and_leaves_nothing()
    {
        using LoopDevice device = Formatted("ext4");
        MountPoint mount = device.Mount();
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(runsJobs: false, directory: mount.Path);
        TestVolume volume = await AttachedAsync(service);
        Answer answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id } });
        Assert.Equal((400, "Invalid volume: Backing up an in-use volume must use the force flag."), (answer.Status, answer.Message));
        answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } });
        Assert.Equal(400, answer.Status);
        Assert.StartsWith("Invalid volume: The volume is in use, its storage cannot take a snapshot", answer.Message, StringComparison.Ordinal);
        Assert.Empty(Snapshots(service));
        Assert.Equal("in-use", await StatusAsync(service, volume));
        Assert.Equal("""{"backups":[]}""", (await service.GetAsync(Backups)).Text);

        File.Delete(volume.Path);
        Assert.Equal(400, (await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } })).Status);
    }

    private static LoopDevice Formatted(string fileSystem)
    {
        Requires.LoopDevices();
        LoopDevice device = LoopDevice.Create(512L << 20);
        device.Format(fileSystem);
        return device;
    }

    private static async Task<TestVolume> AttachedAsync(ServiceUnderTest service)
    {
        TestVolume volume = TestVolume.Create(service, Size);
        volume.Fill(1);
        Assert.Equal(202, (await service.PostAsync($"{Volumes}/{volume.Id}/action", """{"os-attach": {}}""")).Status);
        return volume;
    }

    private static async Task<string> ForceAsync(ServiceUnderTest service, TestVolume volume)
    {
        Answer answer = await service.PostAsync(Backups, new { backup = new { volume_id = volume.Id, force = true } });
        Assert.True(answer.Status == 202, answer.Text);
        return (string)answer.Json["backup"]!["id"]!;
    }

    private static async Task<byte[]> RestoredAsync(ServiceUnderTest service, string backup)
    {
        Answer answer = await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { } });
        await service.WaitAsync(backup, "available");
        return await File.ReadAllBytesAsync(Path.Combine(service.VolumesDirectory, answer.Json["restore"]!["volume_id"] + ".img"), ServiceUnderTest.Cancel);
    }

    private static async Task<string?> StatusAsync(ServiceUnderTest service, TestVolume volume) =>
        (string?)(await service.GetAsync($"{Volumes}/{volume.Id}")).Json["volume"]!["status"];

    private static string[] Snapshots(ServiceUnderTest service) => Directory.GetFiles(Path.Combine(service.VolumesDirectory, ".snapshots"));

    // The status is there a moment before the snapshot is not.
    private static async Task NoSnapshotsAsync(ServiceUnderTest service, params string[] but)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(ServiceUnderTest.Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while (!Snapshots(service).Select(Path.GetFileNameWithoutExtension).SequenceEqual(but))
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
