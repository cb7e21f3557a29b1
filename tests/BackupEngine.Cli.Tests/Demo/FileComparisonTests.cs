using BackupEngine.Cli.Demo;
using BackupEngine.Cli.Tests.Running;

namespace BackupEngine.Cli.Tests.Demo;

public sealed class FileComparisonTests(Workspace workspace) : IClassFixture<Workspace>
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData((2 << 20) + 5)]
    public async Task Equal_files_have_no_difference(int size)
    {
        string left = workspace.WriteVolume($"equal-left-{size}", size, seed: 1);
        string right = workspace.WriteVolume($"equal-right-{size}", size, seed: 1);
        Assert.Null(await FileComparison.FindDifferenceAsync(left, right, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0)]
    [InlineData((1 << 20) - 1)]
    [InlineData(1 << 20)]
    [InlineData((2 << 20) + 4)]
    public async Task One_other_byte_is_found_where_it_is(int offset)
    {
        string left = workspace.WriteVolume($"other-left-{offset}", (2 << 20) + 5, seed: 1);
        byte[] bytes = File.ReadAllBytes(left);
        bytes[offset] ^= 1;
        string right = workspace.PathOf($"other-right-{offset}");
        File.WriteAllBytes(right, bytes);
        Assert.Equal(offset, await FileComparison.FindDifferenceAsync(left, right, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1 << 20, (1 << 20) + 1)]
    [InlineData((1 << 20) + 1, 1 << 20)]
    public async Task A_file_that_goes_on_differs_where_the_other_ends(int leftSize, int rightSize)
    {
        string left = workspace.PathOf($"longer-left-{leftSize}");
        string right = workspace.PathOf($"longer-right-{rightSize}");
        File.WriteAllBytes(left, new byte[leftSize]);
        File.WriteAllBytes(right, new byte[rightSize]);
        Assert.Equal(Math.Min(leftSize, rightSize), await FileComparison.FindDifferenceAsync(left, right, TestContext.Current.CancellationToken));
    }
}
