using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace BackupEngine.S3;

/// <summary>Completes options from where AWS tools look for settings.</summary>
internal static class S3Settings
{
    private const string DefaultRegion = "us-east-1";

    public static AmazonS3Config Resolve(S3ObjectStoreOptions options, out string region)
    {
        AmazonS3Config config = new()
        {
            // The SDK's newer default checksums are refused by many servers; its own retries would multiply with ours.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0,
            Timeout = options.StallTimeout,
        };
        region = options.Region
            ?? Variable("AWS_REGION")
            ?? Variable("AWS_DEFAULT_REGION")
            ?? FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName
            ?? DefaultRegion;
        string? endpoint = options.Endpoint?.AbsoluteUri ?? Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL");
        if (endpoint is not null && (!Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https")))
            throw new ArgumentException($"endpoint '{endpoint}' must be an http or https address");

        // The profile's endpoint_url is the SDK's to find.
        endpoint ??= config.ServiceURL;
        if (endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else
        {
            config.ServiceURL = endpoint;
            config.AuthenticationRegion = region;
        }

        config.ForcePathStyle = options.ForcePathStyle ?? endpoint is not null;
        return config;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
