using BackupEngine.Cli.Output;

namespace BackupEngine.Cli.Tests.Output;

public sealed class ByteTextTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData((1L << 20) - 1, "1.0 MiB")]
    [InlineData(1L << 20, "1.0 MiB")]
    [InlineData((1L << 30) - 1, "1.0 GiB")]
    [InlineData(16L << 40, "16.0 TiB")]
    [InlineData(long.MaxValue, "8.0 EiB")]
    public void Bytes_have_the_unit_that_leaves_a_small_number(long bytes, string expected) => Assert.Equal(expected, ByteText.Of(bytes));

    [Theory]
    [InlineData(0, "0.00 s")]
    [InlineData(0.4, "0.40 s")]
    [InlineData(9.994, "9.99 s")]
    [InlineData(9.996, "10.0 s")]
    [InlineData(59.94, "59.9 s")]
    [InlineData(60, "1 min 00 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(3600, "1 h 00 min")]
    [InlineData(90_000, "25 h 00 min")]
    public void Durations_read_as_people_say_them(double seconds, string expected) => Assert.Equal(expected, ByteText.Duration(seconds));

    [Fact]
    public void A_rate_without_time_is_a_dash() => Assert.Equal("-", ByteText.Rate(1, 0));

    [Fact]
    public void A_rate_is_bytes_in_a_second() => Assert.Equal("512.0 KiB/s", ByteText.Rate(1 << 20, 2));
}
