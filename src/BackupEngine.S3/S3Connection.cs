using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace BackupEngine.S3;

/// <summary>
/// Everything needed to talk to one bucket: where it is, who we are, and a pool of connections that the SDK's client (for control)
/// and our own (for data) share.
/// </summary>
internal sealed class S3Connection : IDisposable
{
    private static readonly TimeSpan _connectionLifetime = TimeSpan.FromMinutes(5), _connectionIdle = TimeSpan.FromSeconds(30);

    /// <summary>Connections that packs leave, at the most, to requests of few bytes, which else would wait behind them.</summary>
    private const int ControlConnections = 4;

    private const int SlotFromBytes = 64 * 1024;

    private readonly SocketsHttpHandler _handler;
    private readonly SemaphoreSlim _slots; // not disposed: a transfer that ends later gives its slot back
    private readonly HttpClient _controlHttp;
    private readonly AWSCredentials _credentials;
    private readonly S3RequestSigner _signer;
    private readonly string _root;

    public S3Connection(S3ObjectStoreOptions options)
    {
        Bucket = options.Bucket;
        KeyPrefix = options.Prefix.Length == 0 ? "" : options.Prefix + "/";
        _handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.MaxConnections,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = _connectionLifetime, // so that a changed address is noticed
            PooledConnectionIdleTimeout = _connectionIdle,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
        };
        _slots = new SemaphoreSlim(options.MaxConnections - Math.Min(ControlConnections, options.MaxConnections / 2));
        _controlHttp = new HttpClient(_handler, disposeHandler: false) { Timeout = options.StallTimeout };
        Http = new HttpClient(_handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan }; // the transfer watches for stalls itself

        AmazonS3Config config = S3Settings.Resolve(options, out string region);
        IsAws = config.ServiceURL is null;
        config.HttpClientFactory = new OwnHttpClient(_controlHttp);
        _credentials = options.AccessKey is null ? new S3DefaultCredentials(config)
            : options.SessionToken is null ? new BasicAWSCredentials(options.AccessKey, options.SecretKey)
            : new SessionAWSCredentials(options.AccessKey, options.SecretKey, options.SessionToken);
        _signer = new S3RequestSigner(region, options.TimeProvider);
        Sdk = new AmazonS3Client(_credentials, config);
        _root = FindRoot(config, options);
    }

    public string Bucket { get; }

    /// <summary>What stands before every key in the bucket: empty, or ending with <c>/</c>.</summary>
    public string KeyPrefix { get; }

    /// <summary>Whether the server is AWS itself, which wants to be told the region of a new bucket.</summary>
    public bool IsAws { get; }

    /// <summary>Gets the address of the bucket, which is the same for all stores that use it.</summary>
    public string BucketAddress => _root;

    public AmazonS3Client Sdk { get; }

    public HttpClient Http { get; }

    /// <summary>Waits until a transfer of so many bytes may begin: while it waited for a connection, it would look stalled.</summary>
    public async ValueTask<S3Slot> TakeSlotAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytes < SlotFromBytes)
            return default;
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new S3Slot(_slots);
    }

    public async ValueTask<HttpRequestMessage> CreateRequestAsync(
        HttpMethod method, string key, string contentSha256, Action<HttpRequestMessage> prepare, CancellationToken cancellationToken)
    {
        ImmutableCredentials credentials = await _credentials.GetCredentialsAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        HttpRequestMessage request = new(method, $"{_root}{KeyPrefix}{key}");
        prepare(request);
        _signer.Sign(request, contentSha256, credentials);
        return request;
    }

    public void Dispose()
    {
        Sdk.Dispose();
        Http.Dispose();
        _controlHttp.Dispose();
        _handler.Dispose();
    }

    // Regions, partitions, path or host style: the SDK knows the rules, and tells them in any URL that it signs. No request is made.
    private static string FindRoot(AmazonS3Config config, S3ObjectStoreOptions options)
    {
        const string AnyKey = "key";
        using AmazonS3Client addressing = new(new BasicAWSCredentials("none", "none"), config);
        string url = addressing.GetPreSignedURL(new GetPreSignedUrlRequest
        {
            BucketName = options.Bucket,
            Key = AnyKey,
            Expires = options.TimeProvider.GetUtcNow().UtcDateTime.AddHours(1),
            Protocol = config.ServiceURL?.StartsWith("http:", StringComparison.OrdinalIgnoreCase) == true ? Protocol.HTTP : Protocol.HTTPS,
        });
        return new Uri(url).GetLeftPart(UriPartial.Path)[..^AnyKey.Length];
    }

    private sealed class OwnHttpClient(HttpClient http) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => http;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }
}
