using System.Text.Json;
using BackupEngine.Cli.Tests.Running;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Cli.Tests.Commands;

public sealed class RestoreCommandTests : IDisposable
{
    private const int Size = (1 << 20) + 777;
    private readonly Workspace _workspace = new();

    private string Target => _workspace.PathOf("target.img");

    public void Dispose() => _workspace.Dispose();

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_new_file_gets_the_size_the_bytes_and_the_holes_of_the_volume()
    {
        byte[] expected = new byte[8 << 20];
        Workspace.Bytes(100_000, seed: 1).CopyTo(expected, 3 << 20);
        File.WriteAllBytes(_workspace.PathOf("volume.img"), expected);
        await _workspace.BackupIdAsync(_workspace.PathOf("volume.img"));

        CliResult result = (await RestoreAsync("latest")).MustSucceed();
        Assert.Contains("(new file)", result.Stdout, StringComparison.Ordinal);
        Assert.Equal(expected, File.ReadAllBytes(Target));
        Assert.InRange(AllocatedBytes(Target), 100_000, 1 << 20);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task An_existing_file_is_overwritten_and_what_lies_beyond_the_volume_stays()
    {
        (string id, byte[] expected) = await BackUpAsync();
        byte[] old = Workspace.Bytes(Size + 5000, seed: 9);
        File.WriteAllBytes(Target, old);
        (await RestoreAsync(id)).MustSucceed();
        Assert.Equal([.. expected, .. old[Size..]], File.ReadAllBytes(Target));
    }

    [LongRunning]
    [Fact]
    public async Task Zeros_in_the_child_are_zeros_in_every_target_though_the_parent_had_data()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        await _workspace.BackupIdAsync(volume);
        byte[] expected = File.ReadAllBytes(volume);
        Array.Clear(expected, 131_072, 300_000);
        File.WriteAllBytes(volume, expected);
        string child = await _workspace.BackupIdAsync(volume, "--incremental");

        (await RestoreAsync(child)).MustSucceed();
        Assert.Equal(expected, File.ReadAllBytes(Target));
        foreach (string how in (string[])["full", "differential"])
        {
            File.WriteAllBytes(Target, Workspace.Bytes(Size, seed: 7));
            (await RestoreAsync(child, "--in-place", how)).MustSucceed();
            Assert.Equal(expected, File.ReadAllBytes(Target));
        }
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_differential_restore_writes_only_what_differs()
    {
        (string id, byte[] expected) = await BackUpAsync();
        File.WriteAllBytes(Target, expected);
        Workspace.Change(Target, offset: 500_000, length: 3, seed: 3);
        JsonElement result = (await RestoreAsync(id, "--in-place", "differential", "--json")).MustSucceed().Json;
        Assert.Equal(65536, result.GetProperty("bytes_written").GetInt64());
        Assert.Equal(Size, result.GetProperty("bytes_compared").GetInt64());
        Assert.Equal(expected, File.ReadAllBytes(Target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_range_is_restored_to_its_own_place_and_nothing_else()
    {
        (string id, byte[] expected) = await BackUpAsync();
        byte[] old = Workspace.Bytes(Size, seed: 9);
        File.WriteAllBytes(Target, old);
        (await RestoreAsync(id, "--range", "100001:200KiB")).MustSucceed();
        expected.AsSpan(100_001, 200 << 10).CopyTo(old.AsSpan(100_001));
        Assert.Equal(old, File.ReadAllBytes(Target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_range_into_a_new_file_leaves_the_rest_of_the_volume_empty()
    {
        (string id, byte[] expected) = await BackUpAsync();
        (await RestoreAsync(id, "--range", "65536:1000")).MustSucceed();
        byte[] wanted = new byte[Size];
        expected.AsSpan(65536, 1000).CopyTo(wanted.AsSpan(65536));
        Assert.Equal(wanted, File.ReadAllBytes(Target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_range_beyond_the_volume_is_wrong_usage()
    {
        (string id, _) = await BackUpAsync();
        (await RestoreAsync(id, "--range", $"{Size}:1")).MustFail(ExitCodes.WrongUsage, $"{Size}");
        Assert.False(File.Exists(Target));
    }

    [LongRunning]
    [Fact]
    public async Task Each_backup_of_a_chain_restores_to_what_the_volume_was()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        List<(string Id, byte[] Content)> chain = [(await _workspace.BackupIdAsync(volume), File.ReadAllBytes(volume))];
        for (int seed = 2; seed < 5; seed++)
        {
            Workspace.Change(volume, offset: seed * 100_000, length: 70_000, seed);
            chain.Add((await _workspace.BackupIdAsync(volume, "--incremental"), File.ReadAllBytes(volume)));
        }

        foreach ((string id, byte[] content) in chain)
            await _workspace.MustStillHoldAsync(id, content, chain.Count);
    }

    [LongRunning]
    [Fact]
    public async Task Latest_wants_the_volume_when_there_are_several()
    {
        (_, byte[] expected) = await BackUpAsync();
        string other = _workspace.WriteVolume("other.img", Size, seed: 5);
        await _workspace.BackupIdAsync(other, "--volume-id", "other");
        (await RestoreAsync("latest")).MustFail(ExitCodes.WrongUsage, "--volume-id");
        Assert.False(File.Exists(Target));

        (await RestoreAsync("latest", "--volume-id", "vm")).MustSucceed();
        Assert.Equal(expected, File.ReadAllBytes(Target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_smaller_target_is_refused_untouched()
    {
        (string id, _) = await BackUpAsync();
        byte[] old = Workspace.Bytes(Size - 1, seed: 9);
        File.WriteAllBytes(Target, old);
        (await RestoreAsync(id)).MustFail(ExitCodes.Failed, Target, $"{Size}");
        Assert.Equal(old, File.ReadAllBytes(Target));
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_target_that_cannot_be_made_is_named()
    {
        (string id, _) = await BackUpAsync();
        (await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", _workspace.PathOf("no/such/target.img"))).MustFail(ExitCodes.NotFound, _workspace.PathOf("no/such"));
        (await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", _workspace.PathOf(""))).MustFail(ExitCodes.Failed, "directory");
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task A_mistyped_device_does_not_become_a_file()
    {
        (string id, _) = await BackUpAsync();
        (await CliProcess.RunAsync("restore", id, "--store", _workspace.Store, "--to", "/dev/no-such-disk")).MustFail(ExitCodes.NotFound, "/dev/no-such-disk");
        Assert.False(File.Exists("/dev/no-such-disk"));
    }

    [LongRunning]
    [Fact]
    public async Task An_unknown_backup_is_not_found()
    {
        (string id, byte[] expected) = await BackUpAsync();
        (await RestoreAsync("ffffffff")).MustFail(ExitCodes.NotFound, "ffffffff");
        (await RestoreAsync(Guid.NewGuid().ToString())).MustFail(ExitCodes.NotFound);
        Assert.False(File.Exists(Target));
        await _workspace.MustStillHoldAsync(id, expected);
    }

    [LongRunning(NeedsTools = true)]
    [Fact]
    public async Task Damage_stops_the_restore_and_leaves_no_half_file()
    {
        (string id, _) = await BackUpAsync();
        string pack = Directory.EnumerateFiles(_workspace.Store, "*", SearchOption.AllDirectories).Where(path => path.Contains("/packs/", StringComparison.Ordinal)).First();
        byte[] bytes = File.ReadAllBytes(pack);
        bytes[bytes.Length / 2] ^= 0x40;
        File.WriteAllBytes(pack, bytes);
        (await RestoreAsync(id)).MustFail(ExitCodes.CorruptionFound, "packs/", Target);
        Assert.False(File.Exists(Target));
    }

    private Task<CliResult> RestoreAsync(string backup, params string[] more) =>
        CliProcess.RunAsync(["restore", backup, "--store", _workspace.Store, "--to", Target, .. more]);

    private async Task<(string Id, byte[] Content)> BackUpAsync()
    {
        string volume = _workspace.WriteVolume("volume.img", Size, seed: 1);
        return (await _workspace.BackupIdAsync(volume, "--volume-id", "vm"), File.ReadAllBytes(volume));
    }

    private static long AllocatedBytes(string path) =>
        512 * long.Parse(SystemTool.Run("stat", "-c", "%b", path), System.Globalization.CultureInfo.InvariantCulture);
}
