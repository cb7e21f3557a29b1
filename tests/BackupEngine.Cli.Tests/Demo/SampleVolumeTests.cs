using BackupEngine.Cli.Demo;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Demo;

public sealed class SampleVolumeTests : IDisposable
{
    private const int Size = (8 << 20) + 12_345;
    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task The_same_size_gives_the_same_bytes()
    {
        byte[] first = await CreateAsync("first");
        byte[] second = await CreateAsync("second");
        Assert.Equal(Size, first.Length);
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task It_has_data_and_zeros()
    {
        byte[] bytes = await CreateAsync("mixed");
        int zeros = bytes.Count(value => value == 0);
        Assert.InRange(zeros, Size / 4, Size * 3 / 4);
    }

    [Fact]
    public async Task A_change_touches_a_little_and_zeros_what_was_data()
    {
        byte[] before = await CreateAsync("changing");
        await SampleVolume.ChangeAsync(_workspace.PathOf("changing"), TestContext.Current.CancellationToken);
        byte[] after = File.ReadAllBytes(_workspace.PathOf("changing"));

        Assert.Equal(before.Length, after.Length);
        int changed = before.Zip(after).Count(pair => pair.First != pair.Second);
        Assert.InRange(changed, 1, Size / 5);
        Assert.Contains(before.Zip(after), pair => pair.First != 0 && pair.Second == 0);
        Assert.Contains(before.Zip(after), pair => pair.First != pair.Second && pair.Second != 0);
    }

    private async Task<byte[]> CreateAsync(string name)
    {
        await SampleVolume.CreateAsync(_workspace.PathOf(name), Size, TestContext.Current.CancellationToken);
        return File.ReadAllBytes(_workspace.PathOf(name));
    }
}
