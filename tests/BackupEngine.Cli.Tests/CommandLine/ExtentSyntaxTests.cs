using BackupEngine.Cli.CommandLine;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Tests.CommandLine;

public sealed class ExtentSyntaxTests
{
    [Theory]
    [InlineData("0:1", 0, 1)]
    [InlineData("512:4096", 512, 4096)]
    [InlineData("1GiB:64KiB", 1L << 30, 65536)]
    [InlineData("0:9223372036854775807", 0, long.MaxValue)]
    public void A_range_is_offset_and_length(string text, long offset, long length)
    {
        Assert.True(ExtentSyntax.TryParse(text, out VolumeExtent extent, out _));
        Assert.Equal(new VolumeExtent(offset, length), extent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData(":")]
    [InlineData("1:")]
    [InlineData(":1")]
    [InlineData("0:0")]
    [InlineData("1:2:3")]
    [InlineData("-1:5")]
    [InlineData("1-5")]
    [InlineData("1:9223372036854775807")]
    public void Anything_else_is_refused_by_name(string text)
    {
        Assert.False(ExtentSyntax.TryParse(text, out _, out string problem));
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
    }
}
