using System.Net.Http.Headers;
using Amazon.Runtime;
using Xunit;

namespace BackupEngine.S3.Tests;

public sealed class S3RequestSignerTests
{
    // The worked examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    private static readonly ImmutableCredentials _example = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null);

    [Fact]
    public void The_published_example_gets_the_published_signature()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "https://examplebucket.s3.amazonaws.com/test.txt");
        request.Headers.Range = new RangeHeaderValue(0, 9);
        new S3RequestSigner("us-east-1", new FixedTime()).Sign(request, S3RequestSigner.EmptySha256, _example);
        Assert.Equal(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            Assert.Single(request.Headers.GetValues("Authorization")));
    }

    [Fact]
    public void A_session_token_is_sent_and_signed()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "http://127.0.0.1:7480/bucket/key");
        new S3RequestSigner("eu-central-1", new FixedTime()).Sign(request, S3RequestSigner.EmptySha256, new ImmutableCredentials("a", "s", "token"));
        Assert.Equal("token", Assert.Single(request.Headers.GetValues("x-amz-security-token")));
        string authorization = Assert.Single(request.Headers.GetValues("Authorization"));
        Assert.Contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,", authorization, StringComparison.Ordinal);
        Assert.Contains("/20130524/eu-central-1/s3/", authorization, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("If-Match", "if-match")]
    [InlineData("If-None-Match", "if-none-match")]
    public void A_condition_that_is_lost_on_the_way_is_noticed(string header, string signed)
    {
        using HttpRequestMessage request = new(HttpMethod.Put, "http://127.0.0.1:7480/bucket/key");
        request.Headers.TryAddWithoutValidation(header, "0123");
        new S3RequestSigner("us-east-1", new FixedTime()).Sign(request, S3RequestSigner.EmptySha256, _example);
        Assert.Contains($"SignedHeaders=host;{signed};x-amz-content-sha256;", Assert.Single(request.Headers.GetValues("Authorization")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://[::1]:9000/bucket/key", "[::1]:9000")]
    [InlineData("https://[2001:db8::7]/bucket/key", "[2001:db8::7]")]
    [InlineData("http://127.0.0.1:7480/bucket/key", "127.0.0.1:7480")]
    [InlineData("https://bücher.example/bucket/key", "xn--bcher-kva.example")]
    public void The_host_is_signed_as_it_is_sent(string address, string host) => Assert.Equal(host, S3RequestSigner.HostOf(new Uri(address)));

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);
    }
}
