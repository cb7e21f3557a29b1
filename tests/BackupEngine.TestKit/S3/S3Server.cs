using BackupEngine.TestKit.Requirements;

namespace BackupEngine.TestKit.S3;

/// <summary>
/// A real S3 server, one per test process: the one that <c>S3_ENDPOINT</c> names, else MinIO in a container, else a local Ceph gateway.
/// What is started here is stopped with the process.
/// </summary>
public sealed record S3Server(Uri Endpoint, string AccessKey, string SecretKey)
{
    private static readonly Lazy<Task<(S3Server? Server, string Lacking)>> _found = new(FindAsync);

    public static string Region => Environment.GetEnvironmentVariable("AWS_REGION") ?? "us-east-1";

    /// <summary>Returns the server; skips the test when there is none.</summary>
    public static async ValueTask<S3Server> GetAsync()
    {
        Requires.Servers();
        (S3Server? server, string missing) = await _found.Value;
        return server ?? throw Requires.Skip(missing);
    }

    /// <summary>A bucket name that nobody else uses.</summary>
    public static string NewBucketName() => $"backup-engine-{Guid.NewGuid():N}"[..40];

    public override string ToString() => Endpoint.ToString();

    private static async Task<(S3Server?, string)> FindAsync()
    {
        if (Environment.GetEnvironmentVariable("S3_ENDPOINT") is { Length: > 0 } endpoint)
            return (new S3Server(new Uri(endpoint), Required("AWS_ACCESS_KEY_ID"), Required("AWS_SECRET_ACCESS_KEY")), "");

        (S3Server? server, string noContainer) = await MinioContainer.TryStartAsync();
        if (server is not null)
            return (server, "");
        (server, string noGateway) = await CephGateway.TryStartAsync();
        return (server, $"no S3 server: 'tests/run' starts one (S3_ENDPOINT is not set; {noContainer}; {noGateway})");
    }

    private static string Required(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"S3_ENDPOINT is set and {name} is not");
}
