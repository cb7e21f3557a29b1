using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using BackupEngine.TestKit.S3;
using BackupEngine.TestKit.Volumes;

namespace BackupEngine.Service.Tests.Running;

/// <summary>S3 credentials stay with the server, however S3 fails.</summary>
public sealed class CredentialsTests
{
    private const string NoSuchBucket = """<?xml version="1.0"?><Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>""";

    [Fact]
    public async Task Neither_the_secret_nor_the_session_token_is_told_to_anybody()
    {
        S3Server s3 = await S3Server.GetAsync();
        using ScratchDirectory directory = new();
        Recorder recorder = new();
        string secret = $"secret-{Guid.NewGuid():N}";
        string token = $"session-token-{Guid.NewGuid():N}";
        ServerSetup good = new(directory.Path)
        {
            Store = $"s3://{S3Server.NewBucketName()}/service",
            Client = new Recorder(),
            Environment = EnvironmentOf(s3.Endpoint, s3.AccessKey, s3.SecretKey, token: ""),
        };
        TestVolume volume = TestVolume.Create(good.Volumes, 100_000);
        volume.Fill(1);
        await using (ServerProcess server = await ServerProcess.StartAsync(good))
        {
            string id = await CreateAsync(server, volume, "available");
            recorder.Add(await RecordOfAsync(server, id));
            recorder.Add(server.Log);
            foreach (string told in ((Recorder)good.Client).Told.Concat(recorder.Told))
            {
                Assert.DoesNotContain(s3.SecretKey, told, StringComparison.Ordinal);
            }
        }

        using FakeS3 fake = new(404, NoSuchBucket);
        using FakeS3 talkative = new(400, $"<?xml version=\"1.0\"?><Error><Code>InvalidToken</Code><Message>The provided token is malformed or otherwise invalid.</Message><Token-0>{token}</Token-0></Error>");
        foreach (IReadOnlyDictionary<string, string> environment in new[]
        {
            EnvironmentOf(s3.Endpoint, s3.AccessKey, secret, token: ""),
            EnvironmentOf(s3.Endpoint, "nobody", secret, token),
            EnvironmentOf(fake.Endpoint, s3.AccessKey, secret, token),
            EnvironmentOf(talkative.Endpoint, s3.AccessKey, secret, token),
            EnvironmentOf(new($"http://127.0.0.1:{ServerProcess.FreePort()}"), s3.AccessKey, secret, token),
        })
        {
            Recorder told = new();
            await using ServerProcess server = await ServerProcess.StartAsync(good with { Environment = environment, Client = told, Address = $"http://127.0.0.1:{ServerProcess.FreePort()}" });
            await FailInAllWaysAsync(server, volume);
            foreach (string text in told.Told.Append(server.Log))
            {
                recorder.Add(text);
            }
        }

        foreach (string file in Directory.GetFiles(good.Data))
        {
            recorder.Add(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, ServiceUnderTest.Cancel)));
        }

        Assert.Contains(recorder.Told, text => text.Contains("fail_reason", StringComparison.Ordinal));
        foreach (string text in recorder.Told)
        {
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain(token, text, StringComparison.Ordinal);
        }
    }

    private static Dictionary<string, string> EnvironmentOf(Uri endpoint, string accessKey, string secret, string token) => new()
    {
        ["AWS_ENDPOINT_URL_S3"] = endpoint.ToString(),
        ["AWS_ACCESS_KEY_ID"] = accessKey,
        ["AWS_SECRET_ACCESS_KEY"] = secret,
        ["AWS_SESSION_TOKEN"] = token,
        ["AWS_REGION"] = S3Server.Region,
    };

    /// <summary>Everything that touches S3: create, restore, export, import, delete, and the showing of what became of them.</summary>
    private static async Task FailInAllWaysAsync(ServerProcess server, TestVolume volume)
    {
        string available = (string)(await server.GetAsync("backups?status=available"))["backups"]!.AsArray().First()!["id"]!;
        string failed = await CreateAsync(server, volume, "error");
        await server.PostAsync($"backups/{available}/restore", new { restore = new { } });
        await WaitAsync(server, available, "available");
        using HttpResponseMessage export = await server.Http.GetAsync(new Uri($"/v3/{ServiceUnderTest.Project}/backups/{available}/export_record", UriKind.Relative), ServiceUnderTest.Cancel);
        Assert.False(export.IsSuccessStatusCode);
        string record = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"id": "{{Guid.NewGuid()}}", "size": 1, "display_name": "", "display_description": "", "container": "", "service_metadata": "e30=", "object_count": 1}"""));
        Dictionary<string, object> import = new() { ["backup-record"] = new { backup_service = BackupEngine.Catalog.ExportedRecord.ServiceName, backup_url = record } };
        string imported = (string)(await server.PostAsync("backups/import_record", import))!["backup"]!["id"]!;
        await WaitAsync(server, imported, "error");
        await server.DeleteAsync($"backups/{failed}");
        await WaitAsync(server, failed, "error_deleting");
        await server.GetAsync("backups/detail");
        await server.GetAsync("volumes/detail");
    }

    private static async Task<string> CreateAsync(ServerProcess server, TestVolume volume, string status)
    {
        string id = (string)(await server.PostAsync("backups", new { backup = new { volume_id = volume.Id } }))!["backup"]!["id"]!;
        await WaitAsync(server, id, status);
        return id;
    }

    private static Task WaitAsync(ServerProcess server, string id, string status) =>
        server.WaitAsync(async () => (string?)(await server.GetAsync($"backups/{id}"))["backup"]!["status"] == status, $"{id} {status}");

    /// <summary>An exported record with all that is wrapped in it.</summary>
    private static async Task<string> RecordOfAsync(ServerProcess server, string id)
    {
        string url = (string)(await server.GetAsync($"backups/{id}/export_record"))["backup-record"]!["backup_url"]!;
        string record = Encoding.UTF8.GetString(Convert.FromBase64String(url));
        return record + Encoding.UTF8.GetString(Convert.FromBase64String((string)JsonNode.Parse(record)!["service_metadata"]!));
    }

    /// <summary>Keeps what the server answers, bodies and headers.</summary>
    private sealed class Recorder() : DelegatingHandler(new SocketsHttpHandler())
    {
        private readonly ConcurrentQueue<string> _told = new();

        public IEnumerable<string> Told => _told;

        public void Add(string text) => _told.Enqueue(text);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            Add($"{response} {await response.Content.ReadAsStringAsync(cancellationToken)}");
            return response;
        }
    }

    /// <summary>Answers every request alike.</summary>
    private sealed class FakeS3 : IDisposable
    {
        private readonly HttpListener _listener = new();

        public FakeS3(int status, string body)
        {
            Endpoint = new($"http://127.0.0.1:{ServerProcess.FreePort()}/");
            _listener.Prefixes.Add(Endpoint.ToString());
            _listener.Start();
            _ = AnswerAsync(status, Encoding.UTF8.GetBytes(body));
        }

        public Uri Endpoint { get; }

        public void Dispose() => _listener.Close();

        private async Task AnswerAsync(int status, byte[] body)
        {
            try
            {
                while (true)
                {
                    HttpListenerContext context = await _listener.GetContextAsync();
                    context.Response.StatusCode = status;
                    context.Response.ContentType = "application/xml";
                    if (context.Request.HttpMethod != "HEAD")
                    {
                        await context.Response.OutputStream.WriteAsync(body);
                    }

                    context.Response.Close();
                }
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }
    }
}
