using Amazon.S3;
using Amazon.S3.Model;
using BackupEngine.S3.Tests;
using BackupEngine.TestKit.S3;
using Xunit;

[assembly: AssemblyFixture(typeof(S3TestBucket))]

namespace BackupEngine.S3.Tests;

/// <summary>Options for stores on the test server, and the removal of the buckets that tests made there.</summary>
public sealed class S3TestBucket : IAsyncDisposable
{
    private static readonly Lock _gate = new();
    private static readonly HashSet<string> _used = [];
    private static readonly string _common = S3Server.NewBucketName();

    /// <summary>A prefix of its own in the bucket that the tests share.</summary>
    public static async ValueTask<S3ObjectStoreOptions> NewPlaceAsync() => await OptionsAsync(_common, $"tests/{Guid.NewGuid():N}");

    public static async ValueTask<S3ObjectStoreOptions> OptionsAsync(string bucket, string prefix = "")
    {
        S3Server server = await S3Server.GetAsync();
        lock (_gate)
            _used.Add(bucket);
        return new S3ObjectStoreOptions
        {
            Bucket = bucket,
            Prefix = prefix,
            Endpoint = server.Endpoint,
            Region = S3Server.Region,
            AccessKey = server.AccessKey,
            SecretKey = server.SecretKey,
            RetryDelay = TimeSpan.FromMilliseconds(1),
        };
    }

    public static async ValueTask<AmazonS3Client> SdkAsync()
    {
        S3Server server = await S3Server.GetAsync();
        return new AmazonS3Client(server.AccessKey, server.SecretKey, new AmazonS3Config
        {
            ServiceURL = server.Endpoint.AbsoluteUri,
            AuthenticationRegion = S3Server.Region,
            ForcePathStyle = true,
            RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_used.Count == 0)
            return;
        using AmazonS3Client sdk = await SdkAsync();
        foreach (string bucket in _used.ToArray())
            await RemoveAsync(sdk, bucket);
    }

    private static async Task RemoveAsync(AmazonS3Client sdk, string bucket)
    {
        try
        {
            S3ObjectStoreOptions options = await OptionsAsync(bucket);
            await using S3ObjectStore store = new(options with { CreateBucket = false });
            List<string> keys = [];
            await foreach (ObjectStores.ObjectInfo info in store.ListAsync(""))
                keys.Add(info.Key);
            await store.DeleteAsync(keys);
            await sdk.DeleteBucketAsync(new DeleteBucketRequest { BucketName = bucket });
        }
        catch (ObjectStores.ObjectStoreException e) when (e.Error == ObjectStores.ObjectStoreError.ContainerNotFound)
        {
            // A test that wanted a bucket that does not exist.
        }
    }
}
