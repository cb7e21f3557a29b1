using Xunit;

namespace BackupEngine.TestKit.S3;

/// <summary>
/// A real S3 server, one per test process: the one that <c>S3_ENDPOINT</c> names, else MinIO in a container, else a local Ceph gateway.
/// What is started here is stopped with the process.
/// </summary>
public sealed record S3Server(Uri Endpoint, string AccessKey, string SecretKey)
{
    private static readonly Lazy<Task<(S3Server? Server, string Lacking)>> _found = new(FindAsync);

    public static string Region => Environment.GetEnvironmentVariable("AWS_REGION") ?? "us-east-1";

    /// <summary>Whether a test may install packages and must not be skipped, as in CI.</summary>
    public static bool IsRequired => Environment.GetEnvironmentVariable("BACKUPENGINE_REQUIRE_S3") == "1";

    /// <summary>The server; without one the test is skipped, or fails where S3 is required.</summary>
    public static async ValueTask<S3Server> GetAsync()
    {
        (S3Server? server, string lacking) = await _found.Value;
        if (server is null && IsRequired)
            Assert.Fail(lacking);
        if (server is null)
            Assert.Skip(lacking);
        return server;
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
        return (server, $"""
            No S3 server for this test. Do one of these:
              start Docker (MinIO then runs in a container): {noContainer}
              run 'tests/s3/ceph-rgw install' as root (Ceph's gateway then runs locally): {noGateway}
              set S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of a running server
            """);
    }

    private static string Required(string name) => Environment.GetEnvironmentVariable(name)
        ?? throw new InvalidOperationException($"S3_ENDPOINT is set and {name} is not");
}
