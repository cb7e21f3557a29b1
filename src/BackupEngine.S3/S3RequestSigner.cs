using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace BackupEngine.S3;

/// <summary>
/// Signs requests by their headers with AWS Signature Version 4
/// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html), the body's SHA-256 included.
/// </summary>
internal sealed class S3RequestSigner(string region, TimeProvider clock)
{
    public const string EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Adds date, body hash and authorization; signs these, the host and every header so far whose name starts with <c>x-amz-</c>, range and condition too.</summary>
    public void Sign(HttpRequestMessage request, string contentSha256, ImmutableCredentials credentials)
    {
        Uri uri = request.RequestUri!;
        string time = clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", contentSha256);
        request.Headers.TryAddWithoutValidation("x-amz-date", time);
        if (credentials.UseToken)
            request.Headers.TryAddWithoutValidation("x-amz-security-token", credentials.Token);

        SortedDictionary<string, string> headers = new(StringComparer.Ordinal) { ["host"] = HostOf(uri) };
        foreach ((string name, IEnumerable<string> values) in request.Headers)
        {
            string lower = name.ToLowerInvariant();
            if (lower is "range" or "if-none-match" or "if-match" || lower.StartsWith("x-amz-", StringComparison.Ordinal))
                headers[lower] = string.Join(',', values).Trim();
        }

        // Keys and buckets need no escaping (their characters are all unreserved), and no request here has a query.
        string signedHeaders = string.Join(';', headers.Keys);
        StringBuilder canonical = new();
        canonical.Append(request.Method.Method).Append('\n').Append(uri.AbsolutePath).Append('\n').Append('\n');
        foreach ((string name, string value) in headers)
            canonical.Append(name).Append(':').Append(value).Append('\n');
        canonical.Append('\n').Append(signedHeaders).Append('\n').Append(contentSha256);

        string scope = $"{time.AsSpan(0, 8)}/{region}/s3/aws4_request";
        string canonicalHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())));
        string signature = Convert.ToHexStringLower(Mac(
            SigningKey(credentials.SecretKey, time[..8]), $"{Algorithm}\n{time}\n{scope}\n{canonicalHash}"));
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={signedHeaders}, Signature={signature}");
    }

    /// <summary>The host as it is sent: addresses of IPv6 in brackets, and no port when it goes without saying.</summary>
    internal static string HostOf(Uri uri)
    {
        string host = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        return uri.IsDefaultPort ? host : $"{host}:{uri.Port}";
    }

    private byte[] SigningKey(string secretKey, string date)
    {
        byte[] key = Mac(Encoding.UTF8.GetBytes("AWS4" + secretKey), date);
        key = Mac(key, region);
        key = Mac(key, "s3");
        return Mac(key, "aws4_request");
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
