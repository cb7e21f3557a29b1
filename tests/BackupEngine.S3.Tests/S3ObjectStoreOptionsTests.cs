using Xunit;

namespace BackupEngine.S3.Tests;

public sealed class S3ObjectStoreOptionsTests
{
    [Theory]
    [InlineData("s3://bucket", "bucket", "")]
    [InlineData("s3://bucket/", "bucket", "")]
    [InlineData("S3://my.bucket/a/b-c_d", "my.bucket", "a/b-c_d")]
    [InlineData("s3://bucket/a/", "bucket", "a")]
    public void Locations_are_read(string location, string bucket, string prefix)
    {
        S3ObjectStoreOptions options = S3ObjectStoreOptions.Parse(location);
        Assert.Equal((bucket, prefix), (options.Bucket, options.Prefix));
    }

    [Theory]
    [InlineData("")]
    [InlineData("bucket")]
    [InlineData("http://bucket/prefix")]
    [InlineData("s3:/bucket")]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("s3://ab")]
    [InlineData("s3://bucket//a")]
    [InlineData("s3://bucket/../a")]
    [InlineData("s3://bucket/a b")]
    [InlineData("s3://user:secret@bucket/a")]
    public void Others_are_refused_in_one_line(string location)
    {
        FormatException e = Assert.Throws<FormatException>(() => S3ObjectStoreOptions.Parse(location));
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_prefix_leaves_room_for_the_longest_key()
    {
        Assert.Equal(123, S3ObjectStoreOptions.Parse("s3://bucket/" + new string('p', 123)).Prefix.Length);
        Assert.Throws<FormatException>(() => S3ObjectStoreOptions.Parse("s3://bucket/" + new string('p', 124)));
    }

    [Fact]
    public void Secrets_are_not_printed()
    {
        S3ObjectStoreOptions options = new() { Bucket = "bucket", AccessKey = "the-access", SecretKey = "the-secret", SessionToken = "the-token" };
        Assert.DoesNotContain("the-", options.ToString(), StringComparison.Ordinal);
        Assert.Contains("bucket", options.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused_when_the_store_is_made()
    {
        S3ObjectStoreOptions good = new() { Bucket = "bucket" };
        S3ObjectStoreOptions[] bad =
        [
            good with { Bucket = "a/b" },
            good with { Prefix = "/p" },
            good with { Prefix = "p/" },
            good with { Endpoint = new Uri("ftp://host") },
            good with { Endpoint = new Uri("relative", UriKind.Relative) },
            good with { AccessKey = "only" },
            good with { SecretKey = "only" },
            good with { SessionToken = "only" },
            good with { MaxAttempts = 0 },
            good with { MaxConnections = 0 },
            good with { StallTimeout = TimeSpan.Zero },
            good with { ConnectTimeout = TimeSpan.Zero },
            good with { RetryDelay = TimeSpan.FromTicks(-1) },
        ];
        Assert.All(bad, options => Assert.ThrowsAny<ArgumentException>(() => new S3ObjectStore(options)));
    }

    [Theory]
    [InlineData("s3://bucket")]
    [InlineData("s3://bucket/a/b")]
    public async Task The_name_is_the_location(string location)
    {
        await using S3ObjectStore store = new(S3ObjectStoreOptions.Parse(location) with { Region = "eu-central-1" });
        Assert.Equal(location, store.Name);
    }
}
