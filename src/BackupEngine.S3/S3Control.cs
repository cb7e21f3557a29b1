using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>Requests without bulk data, through the SDK; each is one attempt.</summary>
internal sealed class S3Control(S3Connection connection, S3Errors errors)
{
    /// <summary>The most keys that S3 deletes in one request.</summary>
    public const int MaxDeleteBatch = 1000;

    private volatile bool _bucketSeen;

    public async ValueTask<S3Head?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            GetObjectMetadataResponse response = await CallAsync(
                token => connection.Sdk.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = connection.Bucket, Key = connection.KeyPrefix + key }, token),
                key,
                "look for",
                cancellationToken).ConfigureAwait(false);
            return new S3Head(new ObjectInfo(key, response.ContentLength, Time(response.LastModified)), response.Metadata[S3Transfer.PutIdHeader]);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return null;
        }
    }

    public async ValueTask<S3Page> ListPageAsync(string prefix, string? continuation, CancellationToken cancellationToken)
    {
        ListObjectsV2Request request = new() { BucketName = connection.Bucket, Prefix = connection.KeyPrefix + prefix, ContinuationToken = continuation };
        ListObjectsV2Response response = await CallAsync(
            token => connection.Sdk.ListObjectsV2Async(request, token), null, $"list '{prefix}'", cancellationToken).ConfigureAwait(false);

        // Taken for the end, this would hide what comes after it.
        if (response.IsTruncated == true && string.IsNullOrEmpty(response.NextContinuationToken))
            throw new ObjectStoreException(ObjectStoreError.Failed, null, $"{errors.StoreName}: cannot list '{prefix}': the server's answer breaks off, and does not say how to go on (is ListObjectsV2 supported?)");

        // Objects of others (such as the folder markers that web consoles make) are none of ours.
        List<ObjectInfo> objects = new(response.S3Objects?.Count ?? 0);
        foreach (S3Object found in response.S3Objects ?? [])
        {
            if (!found.Key.StartsWith(request.Prefix, StringComparison.Ordinal))
            {
                throw new ObjectStoreException(
                    ObjectStoreError.Failed, null, $"{errors.StoreName}: cannot list '{prefix}': the server listed '{S3Errors.OneLine(found.Key)}', which does not start with the prefix; this is a fault of the server");
            }

            string key = found.Key[connection.KeyPrefix.Length..];
            if (ObjectKey.IsValid(key))
                objects.Add(new ObjectInfo(key, found.Size ?? 0, Time(found.LastModified)));
        }

        return new S3Page(objects, response.IsTruncated == true ? response.NextContinuationToken : null);
    }

    public async ValueTask DeleteAsync(string[] keys, CancellationToken cancellationToken)
    {
        if (keys is [string single])
        {
            DeleteObjectRequest one = new() { BucketName = connection.Bucket, Key = connection.KeyPrefix + single };
            try
            {
                await CallAsync(token => connection.Sdk.DeleteObjectAsync(one, token), single, "delete", cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
            {
                // Not every server takes what is gone for deleted.
            }

            return;
        }

        DeleteObjectsRequest request = new()
        {
            BucketName = connection.Bucket,
            Objects = [.. keys.Select(key => new KeyVersion { Key = connection.KeyPrefix + key })],
            Quiet = true,
        };
        await CallAsync(token => DeleteAsync(request, token), null, $"delete {keys.Length} objects", cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> DeleteAsync(DeleteObjectsRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await connection.Sdk.DeleteObjectsAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (DeleteObjectsException e) when (e.Response.DeleteErrors.TrueForAll(error => error.Code == "NoSuchKey"))
        {
            // As above.
        }

        return true;
    }

    public async ValueTask CreateBucketAsync(CancellationToken cancellationToken)
    {
        PutBucketRequest request = new() { BucketName = connection.Bucket, UseClientRegion = connection.IsAws };
        try
        {
            await CallAsync(token => connection.Sdk.PutBucketAsync(request, token), null, "create the bucket", cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.InnerException is AmazonS3Exception { ErrorCode: "BucketAlreadyOwnedByYou" })
        {
            // Somebody else of us was faster.
        }
    }

    /// <summary>Fails when there is no bucket: that a key does not exist is told by S3 without saying why.</summary>
    public async ValueTask RequireBucketAsync(string key, CancellationToken cancellationToken)
    {
        if (_bucketSeen)
            return;
        try
        {
            await CallAsync(
                token => connection.Sdk.HeadBucketAsync(new HeadBucketRequest { BucketName = connection.Bucket }, token), key, "look for", cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            throw errors.Answer(key, "look for", HttpStatusCode.NotFound, "NoSuchBucket", null, e.InnerException);
        }
    }

    private async ValueTask<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, string? key, string action, CancellationToken cancellationToken)
    {
        try
        {
            T response = await call(cancellationToken).ConfigureAwait(false);
            _bucketSeen = true;
            return response;
        }
        catch (DeleteObjectsException e)
        {
            DeleteError error = e.Response.DeleteErrors.First(error => error.Code != "NoSuchKey");
            throw errors.Answer(Strip(error.Key), "delete", HttpStatusCode.OK, error.Code, error.Message, e);
        }
        catch (AmazonS3Exception e)
        {
            throw errors.Answer(key, action, e.StatusCode, e.ErrorCode, e.Message, e);
        }
        catch (Exception e) when (S3Errors.Covers(e) && !cancellationToken.IsCancellationRequested)
        {
            throw errors.NoAnswer(key, action, e);
        }
    }

    private string Strip(string? key) => key?.StartsWith(connection.KeyPrefix, StringComparison.Ordinal) == true ? key[connection.KeyPrefix.Length..] : key ?? "";

    private static DateTimeOffset Time(DateTime? time) => time is null ? default : new DateTimeOffset(time.Value.ToUniversalTime());
}
