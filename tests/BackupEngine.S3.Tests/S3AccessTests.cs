using System.Net;
using System.Net.Sockets;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.S3;
using Xunit;

namespace BackupEngine.S3.Tests;

/// <summary>Wrong settings, as a new user makes them, against the real server.</summary>
public sealed class S3AccessTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_missing_bucket_is_named_by_every_call_when_it_is_not_to_be_made()
    {
        S3ObjectStoreOptions options = await S3TestBucket.OptionsAsync(S3Server.NewBucketName(), "p");
        await using S3ObjectStore store = new(options with { CreateBucket = false });
        foreach (Func<Task> call in Calls(store))
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.ContainerNotFound, call);
            Assert.Contains("NoSuchBucket", e.Message, StringComparison.Ordinal);
            Assert.Contains(options.Bucket, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_missing_bucket_reads_as_an_empty_store_and_the_first_put_makes_it()
    {
        await using S3ObjectStore store = new(await S3TestBucket.OptionsAsync(S3Server.NewBucketName()));
        Assert.Null(await store.HeadAsync("k", Cancellation));
        await FailsAsync(ObjectStoreError.NotFound, () => store.GetAsync("k", 0, new byte[1], Cancellation).AsTask());
        await FailsAsync(ObjectStoreError.NotFound, () => store.GetAsync("k", 0, default, Cancellation).AsTask());
        Assert.Empty(await ListAsync(store));
        await store.DeleteAsync(["k", "l"], Cancellation);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => store.PutAsync($"made/{i}", new byte[] { 1 }, PutCondition.IfAbsent, Cancellation).AsTask()));
        Assert.Equal(8, (await ListAsync(store)).Count);
    }

    [Fact]
    public async Task A_wrong_secret_is_refused_at_once_and_appears_nowhere()
    {
        S3ObjectStoreOptions options = await S3TestBucket.NewPlaceAsync();
        await using (S3ObjectStore right = new(options))
            await right.PutAsync("made", new byte[1], cancellationToken: Cancellation);
        await using S3ObjectStore store = new(options with { SecretKey = "entirely-wrong-secret" });
        foreach (Func<Task> call in Calls(store))
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.AccessDenied, call);
            Assert.Contains("403", e.Message, StringComparison.Ordinal);
            Assert.Contains(options.Bucket, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("entirely-wrong-secret", e.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("attempts", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_unknown_access_key_is_refused()
    {
        S3ObjectStoreOptions options = await S3TestBucket.NewPlaceAsync();
        await using S3ObjectStore store = new(options with { AccessKey = "nobody", SecretKey = "nothing" });
        ObjectStoreException e = await FailsAsync(ObjectStoreError.AccessDenied, () => store.PutAsync("k", new byte[1], cancellationToken: Cancellation).AsTask());
        Assert.Contains("InvalidAccessKeyId", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_where_nobody_listens_is_told_after_a_few_attempts()
    {
        using TcpListener reserved = new(IPAddress.Loopback, 0);
        reserved.Start();
        int port = ((IPEndPoint)reserved.LocalEndpoint).Port;
        reserved.Stop();
        await using S3ObjectStore store = new(new S3ObjectStoreOptions
        {
            Bucket = "bucket",
            Endpoint = new Uri($"http://127.0.0.1:{port}"),
            AccessKey = "a",
            SecretKey = "s",
            RetryDelay = TimeSpan.FromMilliseconds(1),
        });
        foreach (Func<Task> call in Calls(store))
        {
            ObjectStoreException e = await FailsAsync(ObjectStoreError.Unavailable, call);
            Assert.Contains("(3 attempts)", e.Message, StringComparison.Ordinal);
            Assert.Contains("refused", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Objects_of_others_under_the_prefix_are_left_alone()
    {
        S3ObjectStoreOptions options = await S3TestBucket.NewPlaceAsync();
        await using S3ObjectStore store = new(options);
        await store.PutAsync("folder/k", new byte[1], cancellationToken: Cancellation);
        using Amazon.S3.AmazonS3Client sdk = await S3TestBucket.SdkAsync();
        string[] foreign = [$"{options.Prefix}/folder/", $"{options.Prefix}/folder/a b", $"{options.Prefix}-sibling"];
        foreach (string key in foreign)
            await sdk.PutObjectAsync(new Amazon.S3.Model.PutObjectRequest { BucketName = options.Bucket, Key = key, ContentBody = "x" }, Cancellation);
        Assert.Equal(["folder/k"], await ListAsync(store));
        foreach (string key in foreign)
            await sdk.DeleteObjectAsync(options.Bucket, key, Cancellation);
    }

    private static Func<Task>[] Calls(S3ObjectStore store) =>
    [
        () => store.PutAsync("k", new byte[1], cancellationToken: Cancellation).AsTask(),
        () => store.GetAsync("k", 0, new byte[1], Cancellation).AsTask(),
        () => store.GetAsync("k", 0, default, Cancellation).AsTask(),
        () => store.HeadAsync("k", Cancellation).AsTask(),
        () => ListAsync(store),
        () => store.DeleteAsync(["k", "l"], Cancellation).AsTask(),
        () => store.DeleteAsync("k", Cancellation).AsTask(),
    ];

    private static async Task<List<string>> ListAsync(S3ObjectStore store)
    {
        List<string> keys = [];
        await foreach (ObjectInfo info in store.ListAsync("", Cancellation))
            keys.Add(info.Key);
        return keys;
    }

    private static async Task<ObjectStoreException> FailsAsync(ObjectStoreError error, Func<Task> call)
    {
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(call);
        Assert.True(e.Error == error, $"{e.Error} instead of {error}: {e.Message}");
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }
}
