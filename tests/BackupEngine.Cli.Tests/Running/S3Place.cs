using Amazon.S3;
using Amazon.S3.Model;
using BackupEngine.TestKit.S3;

namespace BackupEngine.Cli.Tests.Running;

/// <summary>A bucket of one test's own, which need not exist yet, and the environment in which the program finds its server.</summary>
internal sealed class S3Place : IAsyncDisposable
{
    private readonly AmazonS3Client _client;
    private readonly S3Server _server;

    private S3Place(S3Server server)
    {
        _server = server;
        _client = new AmazonS3Client(server.AccessKey, server.SecretKey, new AmazonS3Config
        {
            ServiceURL = server.Endpoint.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = S3Server.Region,
        });
    }

    public string Bucket { get; } = S3Server.NewBucketName();

    public string Store => $"s3://{Bucket}/disks";

    /// <summary>The server and its keys, as users set them.</summary>
    public CliSettings Settings => With(_server.AccessKey, _server.SecretKey);

    public static async Task<S3Place> NewAsync() => new(await S3Server.GetAsync());

    /// <summary>The server, with other keys.</summary>
    public CliSettings With(string accessKey, string secretKey) => new()
    {
        Environment = new Dictionary<string, string?>
        {
            ["AWS_ENDPOINT_URL_S3"] = _server.Endpoint.ToString(),
            ["AWS_ACCESS_KEY_ID"] = accessKey,
            ["AWS_SECRET_ACCESS_KEY"] = secretKey,
            ["AWS_REGION"] = S3Server.Region,
            ["AWS_PROFILE"] = null,
        },
    };

    public async Task<bool> ExistsAsync() => (await _client.ListBucketsAsync()).Buckets?.Any(bucket => bucket.BucketName == Bucket) ?? false;

    /// <summary>The keys of all objects.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync() =>
        [.. ((await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket })).S3Objects ?? []).Select(found => found.Key).Order()];

    public async ValueTask DisposeAsync()
    {
        if (await ExistsAsync())
        {
            foreach (string key in await KeysAsync())
                await _client.DeleteObjectAsync(Bucket, key);
            await _client.DeleteBucketAsync(Bucket);
        }

        _client.Dispose();
    }
}
