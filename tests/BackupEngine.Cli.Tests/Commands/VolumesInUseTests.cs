using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Cli.Tests.Commands;

/// <summary>Volumes and targets that others use.</summary>
public sealed class VolumesInUseTests : IDisposable
{
    private const int Size = 4 << 20;
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task Backup_ImageOfALoopDevice_NeedsAllowInconsistentAndIsMarked()
    {
        Requires.LoopDevices();
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        using LoopDevice device = LoopDevice.Attach(volume);
        CliResult refused = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"is in use (it is attached to {device.Path})", refused.Stderr, StringComparison.Ordinal);
        Assert.Contains("--allow-inconsistent", refused.Stderr, StringComparison.Ordinal);

        CliResult allowed = await CliProcess.RunAsync("backup", volume, "--store", _workspace.Store, "--allow-inconsistent", "--read-holes", "--json");
        Assert.Equal(0, allowed.ExitCode);
        Assert.False(allowed.Json.GetProperty("consistent").GetBoolean());
        Assert.Contains("is inconsistent", allowed.Stderr, StringComparison.Ordinal);
        Assert.Contains("available (inconsistent)", (await CliProcess.RunAsync("list", "--store", _workspace.Store)).MustSucceed().Stdout, StringComparison.Ordinal);
        string shown = (await CliProcess.RunAsync("show", "latest", "--store", _workspace.Store)).MustSucceed().Stdout;
        Assert.Contains("no: the volume changed, or may have changed, while it was read", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_ImageOfALoopDevice_NeedsForceTarget()
    {
        Requires.LoopDevices();
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        await _workspace.BackupIdAsync(volume);
        string target = _workspace.WriteVolume("target.img", Size, seed: 2);
        byte[] before = File.ReadAllBytes(target);
        using LoopDevice device = LoopDevice.Attach(target);
        CliResult refused = await CliProcess.RunAsync("restore", "latest", "--store", _workspace.Store, "--to", target);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("--force-target", refused.Stderr, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(target));

        (await CliProcess.RunAsync("restore", "latest", "--store", _workspace.Store, "--to", target, "--force-target")).MustSucceed();
        Assert.Equal(File.ReadAllBytes(volume), File.ReadAllBytes(target));
    }
}
