using BackupEngine.Cli.CommandLine;

namespace BackupEngine.Cli.Tests.CommandLine;

public sealed class ByteSizeSyntaxTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("65536", 65536)]
    [InlineData("65536B", 65536)]
    [InlineData("64KiB", 65536)]
    [InlineData("64kib", 65536)]
    [InlineData("64K", 65536)]
    [InlineData("64 KiB", 65536)]
    [InlineData("1MiB", 1L << 20)]
    [InlineData("3M", 3L << 20)]
    [InlineData("2GiB", 2L << 30)]
    [InlineData("2g", 2L << 30)]
    [InlineData("16TiB", 16L << 40)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("8388607T", 8388607L << 40)]
    public void A_size_is_read_as_binary(string text, long expected)
    {
        Assert.True(ByteSizeSyntax.TryParse(text, out long bytes, out _));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("KiB")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5GiB")]
    [InlineData("1,5GiB")]
    [InlineData("64KiBs")]
    [InlineData("0x10")]
    [InlineData("ten")]
    [InlineData("1 2")]
    [InlineData("8388608T")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999999")]
    public void Anything_else_is_refused_by_name(string text)
    {
        Assert.False(ByteSizeSyntax.TryParse(text, out _, out string problem));
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("64KB", "64KiB")]
    [InlineData("256mb", "256MiB")]
    [InlineData("1GB", "1GiB")]
    [InlineData("1TB", "1TiB")]
    public void A_decimal_unit_is_refused_with_the_binary_one_named(string text, string advice)
    {
        Assert.False(ByteSizeSyntax.TryParse(text, out _, out string problem));
        Assert.Contains(advice, problem, StringComparison.Ordinal);
    }
}
