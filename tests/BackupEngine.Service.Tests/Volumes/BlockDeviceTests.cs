using System.Security.Cryptography;
using System.Text.Json.Nodes;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Volumes;

/// <summary>Real block devices as volumes.</summary>
public sealed class BlockDeviceTests
{
    private const int Size = 8 << 20;
    private const string Backups = $"/v3/{ServiceUnderTest.Project}/backups";
    private const string Volumes = $"/v3/{ServiceUnderTest.Project}/volumes";

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_device_is_backed_up_changed_backed_up_again_and_restored_to_itself_and_to_others()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        using LoopDevice larger = LoopDevice.Create(Size + 4096);
        DeviceOptions source = OptionsFor(device, "data");
        DeviceOptions target = OptionsFor(larger);
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { Devices = [source, target] });
        JsonNode shown = (await service.GetAsync($"{Volumes}/{source.Id}")).Json["volume"]!;
        Assert.Equal(("data", 1, "device"), ((string?)shown["name"], (int)shown["size"]!, (string?)shown["volume_type"]));

        byte[] first = RandomNumberGenerator.GetBytes(Size);
        Write(device, first);
        string full = await service.BackUpAsync(source.Id.ToString());
        byte[] second = [.. first];
        second.AsSpan(1_000_000, 2_000_000).Clear();
        RandomNumberGenerator.Fill(second.AsSpan(6_000_000, 500_000));
        Write(device, second);
        string incremental = await service.BackUpAsync(source.Id.ToString(), incremental: true);
        JsonNode progress = (await service.GetAsync($"/v1/backups/{incremental}/progress")).Json["progress"]!;
        Assert.InRange((long)progress["bytes_changed"]!, 2_500_000, 4_000_000);

        await RestoreAsync(service, full, source);
        Assert.True(first.AsSpan().SequenceEqual(Read(device)));
        byte[] before = RandomNumberGenerator.GetBytes(Size + 4096);
        Write(larger, before);
        await RestoreAsync(service, incremental, target);
        Assert.True(Read(larger).AsSpan().SequenceEqual([.. second, .. before[Size..]]));

        string file = (string)(await service.PostAsync($"{Backups}/{incremental}/restore", new { restore = new { } })).Json["restore"]!["volume_id"]!;
        await service.WaitAsync(incremental, "available");
        byte[] restored = await File.ReadAllBytesAsync(Path.Combine(service.VolumesDirectory, file + ".img"), ServiceUnderTest.Cancel);
        Assert.True(second.AsSpan().SequenceEqual(restored));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_smaller_device_and_a_mounted_one_are_not_written_to()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        using LoopDevice smaller = LoopDevice.Create(Size - 4096);
        using LoopDevice mounted = LoopDevice.Create(Size);
        mounted.Format();
        MountPoint mount = mounted.Mount();
        await File.WriteAllTextAsync(mount.File("kept"), "kept", ServiceUnderTest.Cancel);
        DeviceOptions source = OptionsFor(device);
        DeviceOptions small = OptionsFor(smaller);
        DeviceOptions busy = OptionsFor(mounted);
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { Devices = [source, small, busy] });
        Write(device, RandomNumberGenerator.GetBytes(Size));
        string backup = await service.BackUpAsync(source.Id.ToString());

        Answer refused = await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { volume_id = small.Id } });
        Assert.Equal((400, $"Invalid volume: volume size {Size - 4096} bytes is too small to restore backup of size {Size} bytes."), (refused.Status, refused.Message));
        Assert.Equal(202, (await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { volume_id = busy.Id } })).Status);
        await service.WaitAsync(backup, "available");
        Assert.Contains(Path.GetFileName(mounted.Path), (string?)(await service.ShowAsync(backup))["fail_reason"], StringComparison.Ordinal);
        Assert.Equal("error_restoring", (string?)(await service.GetAsync($"{Volumes}/{busy.Id}")).Json["volume"]!["status"]);
        Assert.Equal("kept", await File.ReadAllTextAsync(mount.File("kept"), ServiceUnderTest.Cancel));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_device_that_is_gone_leaves_an_error_and_one_in_use_is_refused_for_it_has_no_snapshots()
    {
        Requires.LoopDevices();
        using LoopDevice device = LoopDevice.Create(Size);
        DeviceOptions source = OptionsFor(device);
        await using ServiceUnderTest service = await ServiceUnderTest.StartAsync(new() { Devices = [source] });
        Assert.Equal(202, (await service.PostAsync($"{Volumes}/{source.Id}/action", """{"os-attach": {}}""")).Status);
        Answer refused = await service.PostAsync(Backups, new { backup = new { volume_id = source.Id, force = true } });
        Assert.Equal(400, refused.Status);
        Assert.Contains("its storage cannot take a snapshot", refused.Message, StringComparison.Ordinal);
        Assert.Equal(202, (await service.PostAsync($"{Volumes}/{source.Id}/action", """{"os-detach": {}}""")).Status);
        Assert.Equal(400, (await service.DeleteAsync($"{Volumes}/{source.Id}")).Status);

        device.Detach();
        Answer created = await service.PostAsync(Backups, new { backup = new { volume_id = source.Id } });
        Assert.Equal(202, created.Status);
        string id = (string)created.Json["backup"]!["id"]!;
        await service.WaitAsync(id, "error");
        Assert.Contains(Path.GetFileName(device.Path), (string?)(await service.ShowAsync(id))["fail_reason"], StringComparison.Ordinal);
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{source.Id}")).Json["volume"]!["status"]);
    }

    private static DeviceOptions OptionsFor(LoopDevice device, string? name = null) => new() { Id = Guid.NewGuid(), Path = device.Path, Name = name };

    private static async Task RestoreAsync(ServiceUnderTest service, string backup, DeviceOptions target)
    {
        Answer answer = await service.PostAsync($"{Backups}/{backup}/restore", new { restore = new { volume_id = target.Id } });
        Assert.True(answer.Status == 202, answer.Text);
        await service.WaitAsync(backup, "available");
        Assert.Equal("available", (string?)(await service.GetAsync($"{Volumes}/{target.Id}")).Json["volume"]!["status"]);
    }

    private static void Write(LoopDevice device, byte[] content)
    {
        using FileStream stream = new(device.Path, FileMode.Open, FileAccess.Write);
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    private static byte[] Read(LoopDevice device)
    {
        using FileStream stream = File.OpenRead(device.Path);
        using MemoryStream content = new();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
