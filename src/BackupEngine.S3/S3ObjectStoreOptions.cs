using System.Text;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>Which bucket an <see cref="S3ObjectStore"/> uses, and how. What is left out comes from where AWS tools look for it: environment, profile, instance.</summary>
public sealed record S3ObjectStoreOptions
{
    private const int MaxPrefixLength = 1024 - ObjectKey.MaxLength - 1;

    private static readonly TimeSpan _maxTime = TimeSpan.FromMilliseconds(int.MaxValue);

    /// <summary>The bucket: 3 to 255 of <c>[A-Za-z0-9._-]</c>.</summary>
    public required string Bucket { get; init; }

    /// <summary>A folder within the bucket, such as <c>backups/site-a</c>, of at most 123 characters. Default: none.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The server, such as <c>http://127.0.0.1:9000</c>. Default: <c>AWS_ENDPOINT_URL_S3</c>, then <c>AWS_ENDPOINT_URL</c>, then the profile's, then AWS itself.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region, such as <c>eu-central-1</c>. Default: <c>AWS_REGION</c>, then <c>AWS_DEFAULT_REGION</c>, then the profile's, then <c>us-east-1</c>.</summary>
    public string? Region { get; init; }

    /// <summary>Whether the bucket is a part of the path instead of the host name. Default: when there is an endpoint, by option or environment.</summary>
    public bool? ForcePathStyle { get; init; }

    /// <summary>
    /// Whether the first put makes a bucket that does not exist; until then it reads as an empty store.
    /// When false, every call on a missing bucket fails with <see cref="ObjectStoreError.ContainerNotFound"/>. Default: true.
    /// </summary>
    public bool CreateBucket { get; init; } = true;

    /// <summary>The access key id; only together with <see cref="SecretKey"/>. Default: the standard AWS credential chain.</summary>
    public string? AccessKey { get; init; }

    /// <summary>The secret access key. Appears in no message.</summary>
    public string? SecretKey { get; init; }

    /// <summary>The session token of temporary credentials. Appears in no message.</summary>
    public string? SessionToken { get; init; }

    /// <summary>How long to wait for a connection. Default: 10 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a request may go on without a byte moving or an answer coming before it is given up and made again. Default: 60 seconds.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a request is made before its passing failure is reported, from 1; 3 at the most while the server was never reached. Default: 8, which rides out some 20 seconds.</summary>
    public int MaxAttempts { get; init; } = 8;

    /// <summary>The pause before the second attempt; it doubles from attempt to attempt up to ten seconds, and is varied at random. Default: 200 milliseconds.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The most connections at once; further requests wait for one. Transfers of 64 KiB and more leave up to four of them to smaller requests. Default: 64.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>The clock of retries and signatures. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Reads <c>s3://bucket</c> or <c>s3://bucket/prefix</c>.</summary>
    /// <param name="location">The location; nothing in it is escaped.</param>
    /// <exception cref="FormatException">It is no such location.</exception>
    public static S3ObjectStoreOptions Parse(string location)
    {
        ArgumentNullException.ThrowIfNull(location);
        const string Scheme = "s3://";
        if (!location.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"'{location}' is no S3 location: s3://bucket/prefix is wanted");
        string[] parts = location[Scheme.Length..].TrimEnd('/').Split('/', 2);
        S3ObjectStoreOptions options = new() { Bucket = parts[0], Prefix = parts.Length > 1 ? parts[1] : "" };
        try
        {
            options.Validate();
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"'{location}' is no S3 location: {e.Message}", e);
        }

        return options;
    }

    internal void Validate()
    {
        if (Bucket is null || Bucket.Length is < 3 or > 255 || Bucket.Contains('/', StringComparison.Ordinal) || !ObjectKey.IsValid(Bucket))
            throw new ArgumentException($"bucket '{Bucket}' must be 3 to 255 characters from A-Z a-z 0-9 . _ -");
        if (Prefix is null || Prefix.Length > MaxPrefixLength || (Prefix.Length > 0 && !ObjectKey.IsValid(Prefix)))
            throw new ArgumentException($"prefix '{Prefix}' must be up to {MaxPrefixLength} characters from A-Z a-z 0-9 . _ - and /, with no slash at its ends");
        if (Endpoint is not null && (!Endpoint.IsAbsoluteUri || Endpoint.Scheme is not ("http" or "https")))
            throw new ArgumentException($"endpoint '{Endpoint}' must be an http or https address");
        if (AccessKey is null != SecretKey is null || (SessionToken is not null && SecretKey is null))
            throw new ArgumentException("access key and secret key must be given together, or neither");
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConnections, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);

        // What timers can wait.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ConnectTimeout, _maxTime);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(StallTimeout, _maxTime);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RetryDelay, _maxTime);
        ArgumentNullException.ThrowIfNull(TimeProvider);
    }

    // What ToString of a record shows: the place, and no secret.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Bucket = ").Append(Bucket).Append(", Prefix = ").Append(Prefix).Append(", Endpoint = ").Append(Endpoint).Append(", Region = ").Append(Region);
        return true;
    }
}
