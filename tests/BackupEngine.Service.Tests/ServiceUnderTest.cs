using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service.Tests;

/// <summary>The service in this process, on volumes and a catalog of its own.</summary>
public sealed class ServiceUnderTest : IAsyncDisposable
{
    public const string Project = "89afd400b6464bbcb12bc0a4d63e5bd3";
    public const string OtherProject = "00000000000000000000000000000b0b";

    private readonly WebApplication _app;
    private readonly bool _ownsDirectory;

    private ServiceUnderTest(WebApplication app, string directory, bool ownsDirectory, CapturedLogs logs)
    {
        _app = app;
        _ownsDirectory = ownsDirectory;
        Logs = logs;
        Directory = directory;
        Http = app.GetTestClient();
        Http.BaseAddress = new Uri("http://HOST/");
    }

    public HttpClient Http { get; }

    public string Directory { get; }

    public string VolumesDirectory => Path.Combine(Directory, "volumes");

    public IServiceProvider Services => _app.Services;

    internal CapturedLogs Logs { get; }

    internal CatalogDatabase Catalog => Services.GetRequiredService<CatalogDatabase>();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts a service.</summary>
    /// <param name="options">Its settings.</param>
    /// <param name="store">Where backups go; a directory when null.</param>
    /// <param name="runsJobs">Whether jobs run; otherwise they are only queued.</param>
    /// <param name="directory">An earlier service's directory to go on with.</param>
    /// <param name="database">Connection string of the catalog.</param>
    public static async Task<ServiceUnderTest> StartAsync(
        BackupServiceOptions? options = null, IObjectStore? store = null, bool runsJobs = true, string? directory = null, string? database = null, TimeProvider? time = null)
    {
        string root = directory ?? System.IO.Directory.CreateTempSubdirectory("backup-service-").FullName;
        CapturedLogs logs = new();
        ServeOptions serve = new()
        {
            OpenStore = _ => new(store ?? new DirectoryObjectStore(Path.Combine(root, "store"))),
            VolumesDirectory = Path.Combine(root, "volumes"),
            DataDirectory = root,
            Database = database,
        };
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = root });
        builder.WebHost.UseTestServer();
        builder.Logging.AddProvider(logs).SetMinimumLevel(LogLevel.Debug);
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        try
        {
            builder.Services.AddBackupService(serve, options ?? new());
        }
        catch (ServiceConfigurationException) when (directory is null)
        {
            System.IO.Directory.Delete(root, recursive: true);
            throw;
        }

        if (!runsJobs)
        {
            foreach (ServiceDescriptor hosted in builder.Services.Where(service => service.ServiceType == typeof(IHostedService)
                && service.ImplementationType?.Name != "GenericWebHostService").ToList())
            {
                builder.Services.Remove(hosted);
            }
        }

        WebApplication app = builder.Build();
        await app.Services.GetRequiredService<CatalogDatabase>().MigrateAsync(Cancel);
        app.MapBackupService();
        await app.StartAsync(Cancel);
        return new(app, root, ownsDirectory: directory is null, logs);
    }

    /// <summary>Sends a request as a user of a project, unless told otherwise.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, string? version = null, string? token = "user1:" + Project)
    {
        using HttpRequestMessage request = new(method, new Uri(path, UriKind.RelativeOrAbsolute));
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Auth-Token", token);
        }

        if (version is not null)
        {
            request.Headers.TryAddWithoutValidation("OpenStack-API-Version", version.Contains(' ', StringComparison.Ordinal) ? version : "volume " + version);
        }

        if (body is not null)
        {
            request.Content = body as HttpContent ?? new StringContent(
                body as string ?? System.Text.Json.JsonSerializer.Serialize(body), Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        }

        using HttpResponseMessage response = await Http.SendAsync(request, Cancel);
        string text = await response.Content.ReadAsStringAsync(Cancel);
        return new((int)response.StatusCode, text, response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(",", header.Value)));
    }

    public Task<Answer> GetAsync(string path, string? version = null, string? token = "user1:" + Project) => SendAsync(HttpMethod.Get, path, null, version, token);

    public Task<Answer> PostAsync(string path, object? body, string? version = null, string? token = "user1:" + Project) => SendAsync(HttpMethod.Post, path, body, version, token);

    public Task<Answer> DeleteAsync(string path, string? token = "user1:" + Project) => SendAsync(HttpMethod.Delete, path, null, null, token);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}

/// <summary>What came back.</summary>
public sealed record Answer(int Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonNode Json => JsonNode.Parse(Text)!;

    /// <summary>The message of an error.</summary>
    public string Message => (string)Json.AsObject().First().Value!["message"]!;

    /// <summary>The key that an error is wrapped in.</summary>
    public string Fault => Json.AsObject().First().Key;
}
