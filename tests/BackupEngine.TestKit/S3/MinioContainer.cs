using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;

namespace BackupEngine.TestKit.S3;

/// <summary>MinIO in a container, when there is an engine to run it; the containers' own reaper removes it after the process.</summary>
internal static class MinioContainer
{
    private const int Port = 9000;
    private const string Key = "backup-engine", Secret = "backup-engine-secret";

    public static async Task<(S3Server? Server, string Lacking)> TryStartAsync()
    {
        // Asked first: looking for an engine that is not there takes long.
        if (Environment.GetEnvironmentVariable("DOCKER_HOST") is null or "" && !File.Exists("/var/run/docker.sock") && !OperatingSystem.IsWindows())
            return (null, "Docker is not running");
        try
        {
            IContainer container = new ContainerBuilder("minio/minio")
                .WithCommand("server", "/data")
                .WithEnvironment("MINIO_ROOT_USER", Key)
                .WithEnvironment("MINIO_ROOT_PASSWORD", Secret)
                .WithPortBinding(Port, assignRandomHostPort: true)
                .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(request => request.ForPort(Port).ForPath("/minio/health/ready")))
                .Build();
            await container.StartAsync();
            return (new S3Server(new UriBuilder("http", container.Hostname, container.GetMappedPublicPort(Port)).Uri, Key, Secret), "");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever the engine or the registry says, another server may do; the reason is told when none does.
            return (null, e.Message.ReplaceLineEndings(" "));
        }
    }
}
