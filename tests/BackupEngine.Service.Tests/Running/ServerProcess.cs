using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BackupEngine.Service.Tests.Running;

/// <summary><c>backup-engine serve</c> as a process of its own.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(50);

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private ServerProcess(Process process, ServerSetup setup)
    {
        _process = process;
        Address = setup.Address;
        Http = new(setup.Client, disposeHandler: false) { BaseAddress = new Uri(Address) };
        Http.DefaultRequestHeaders.Add("X-Auth-Token", "user1:" + ServiceUnderTest.Project);
    }

    public string Address { get; }

    public HttpClient Http { get; }

    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    public static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static async Task<ServerProcess> StartAsync(ServerSetup setup)
    {
        List<string> arguments =
        [
            "serve", "--store", setup.Store, "--volumes", setup.Volumes, "--data", setup.Data, "--listen", setup.Address, "--verbose",
        ];
        if (setup.Database is not null)
        {
            arguments.AddRange(["--database", setup.Database]);
        }

        if (setup.Config is not null)
        {
            arguments.AddRange(["--config", setup.Config]);
        }

        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "backup-engine"), arguments) { RedirectStandardError = true };
        foreach ((string name, string value) in setup.Environment)
        {
            start.Environment[name] = value;
        }

        ServerProcess server = new(Process.Start(start)!, setup);
        server._process.ErrorDataReceived += (_, line) =>
        {
            lock (server._log)
            {
                server._log.AppendLine(line.Data);
            }
        };
        server._process.BeginErrorReadLine();
        await server.WaitUntilReadyAsync();
        return server;
    }

    /// <summary>Ends the process as a power cut would: without a chance to put anything in order.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await _process.WaitForExitAsync(ServiceUnderTest.Cancel);
    }

    /// <summary>Ends the process as a service manager does.</summary>
    public async Task<int> StopAsync()
    {
        Signal(SigTerm);
        await _process.WaitForExitAsync(ServiceUnderTest.Cancel).WaitAsync(_patience, ServiceUnderTest.Cancel);
        return _process.ExitCode;
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        using HttpResponseMessage response = await Http.GetAsync(new Uri($"/v3/{ServiceUnderTest.Project}/{path}", UriKind.Relative), ServiceUnderTest.Cancel);
        string text = await response.Content.ReadAsStringAsync(ServiceUnderTest.Cancel);
        Assert.True(response.IsSuccessStatusCode, $"{text}\n{Log}");
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode?> PostAsync(string path, object body)
    {
        using StringContent content = new(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Http.PostAsync(new Uri($"/v3/{ServiceUnderTest.Project}/{path}", UriKind.Relative), content, ServiceUnderTest.Cancel);
        string text = await response.Content.ReadAsStringAsync(ServiceUnderTest.Cancel);
        Assert.True(response.IsSuccessStatusCode, text);
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }

    public async Task DeleteAsync(string path)
    {
        using HttpResponseMessage response = await Http.DeleteAsync(new Uri($"/v3/{ServiceUnderTest.Project}/{path}", UriKind.Relative), ServiceUnderTest.Cancel);
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
    }

    /// <summary>Waits until a condition holds.</summary>
    public async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < _patience, $"{what} does not happen.\n{Log}");
            await Task.Delay(_poll, ServiceUnderTest.Cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync()
    {
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Assert.False(_process.HasExited, $"The server ended.\n{Log}");
            try
            {
                using HttpResponseMessage response = await Http.GetAsync(new Uri("/", UriKind.Relative), ServiceUnderTest.Cancel);
                return;
            }
            catch (HttpRequestException) when (TimeProvider.System.GetElapsedTime(started) < _patience)
            {
                await Task.Delay(_poll, ServiceUnderTest.Cancel);
            }
        }
    }

    private void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}

/// <summary>What a server is started with.</summary>
internal sealed record ServerSetup(string Directory)
{
    public string Address { get; init; } = $"http://127.0.0.1:{ServerProcess.FreePort()}";

    /// <summary>How the test's own requests are sent.</summary>
    public HttpMessageHandler Client { get; init; } = new SocketsHttpHandler();

    public string Store { get; init; } = Path.Combine(Directory, "store");

    public string Volumes { get; } = System.IO.Directory.CreateDirectory(Path.Combine(Directory, "volumes")).FullName;

    public string Data { get; init; } = Path.Combine(Directory, "data");

    public string? Database { get; init; }

    public string? Config { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
