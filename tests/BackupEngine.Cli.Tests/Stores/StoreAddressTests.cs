using BackupEngine.Cli.Stores;

namespace BackupEngine.Cli.Tests.Stores;

public sealed class StoreAddressTests
{
    [Theory]
    [InlineData("/backups", "/backups")]
    [InlineData("/backups/../b", "/b")]
    [InlineData("file:///backups/a", "/backups/a")]
    [InlineData("FILE:///backups", "/backups")]
    [InlineData("file:///with%20space", "/with space")]
    [InlineData("/odd:name", "/odd:name")]
    public void A_path_or_file_uri_is_a_directory(string text, string directory)
    {
        Assert.True(StoreAddress.TryParse(text, out StoreAddress address, out _));
        Assert.Equal(directory, address.Directory);
    }

    [Fact]
    public void A_relative_path_is_taken_from_the_working_directory()
    {
        Assert.True(StoreAddress.TryParse("backups", out StoreAddress address, out _));
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "backups"), address.Directory);
    }

    [Theory]
    [InlineData("s3://bucket")]
    [InlineData("s3://bucket/")]
    [InlineData("s3://bucket/some/prefix")]
    public void An_s3_uri_is_no_directory(string text)
    {
        Assert.True(StoreAddress.TryParse(text, out StoreAddress address, out _));
        Assert.Null(address.Directory);
        Assert.Equal(text, address.Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("s3:")]
    [InlineData("s3:bucket")]
    [InlineData("s3:/bucket")]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("http://server/bucket")]
    [InlineData("sftp://server/directory")]
    [InlineData("file://server/share")]
    public void What_looks_like_another_scheme_never_becomes_a_directory(string text)
    {
        Assert.False(StoreAddress.TryParse(text, out _, out string problem));
        Assert.Contains($"'{text}'", problem, StringComparison.Ordinal);
    }
}
