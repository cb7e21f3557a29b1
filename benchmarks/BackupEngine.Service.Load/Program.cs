using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using BackupEngine.Service;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Load;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

// Asks the service at a fixed rate, whether it keeps up or not, and tells how long the answers took.
LoadOptions options = LoadOptions.Parse(args);
string directory = Directory.CreateTempSubdirectory("backup-load-").FullName;
try
{
    await using CatalogDatabase database = CatalogDatabase.At(null, directory);
    Stopwatch filling = Stopwatch.StartNew();
    List<string> ids = await FullCatalog.FillAsync(database, options.Backups);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{options.Backups} backups entered in {filling.Elapsed.TotalSeconds:F1} s"));

    ServeOptions serve = new()
    {
        OpenStore = _ => throw new InvalidOperationException("No job runs in this benchmark."),
        DataDirectory = directory,
        VolumesDirectory = Path.Combine(directory, "volumes"),
        Listen = options.Address ?? "http://127.0.0.1:18790",
        ConfigureLogging = logging => logging.SetMinimumLevel(LogLevel.Warning).AddConsole(),
    };
    await using WebApplication app = BackupService.Build(serve);
    app.MapBackupService();
    await app.StartAsync();

    RequestMix mix = new(ids);
    // A server runs for months: its code is compiled well before the first time that counts.
    await RunAsync(serve.Listen, mix, options.RequestsPerSecond, seconds: 20);
    double[] milliseconds = await RunAsync(serve.Listen, mix, options.RequestsPerSecond, options.Seconds);
    Array.Sort(milliseconds);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{milliseconds.Length} requests at {options.RequestsPerSecond}/s: p50 {At(0.5):F1} ms, p90 {At(0.9):F1} ms, p99 {At(0.99):F1} ms, p99.9 {At(0.999):F1} ms, max {milliseconds[^1]:F1} ms"));
    await app.StopAsync();
    return At(0.99) < 50 ? 0 : 1;

    double At(double share) => milliseconds[(int)(share * (milliseconds.Length - 1))];
}
finally
{
    Directory.Delete(directory, recursive: true);
}

static async Task<double[]> RunAsync(string address, RequestMix mix, int requestsPerSecond, int seconds)
{
    using HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(address) };
    http.DefaultRequestHeaders.Add("X-Auth-Token", "user1:" + FullCatalog.Project);
    http.DefaultRequestHeaders.Add("OpenStack-API-Version", "volume 3.64");
    ConcurrentBag<double> times = [];
    List<Task> running = [];
    long start = Stopwatch.GetTimestamp();
    for (int i = 0; i < requestsPerSecond * seconds; i++)
    {
        // A request's time counts from when it was due, so that a server that lags behind is not excused.
        TimeSpan due = TimeSpan.FromSeconds((double)i / requestsPerSecond);
        TimeSpan wait = due - Stopwatch.GetElapsedTime(start);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait);
        }

        running.Add(AskAsync(mix.Next(), due));
    }

    await Task.WhenAll(running);
    return [.. times];

    async Task AskAsync(Uri path, TimeSpan due)
    {
        using HttpResponseMessage response = await http.GetAsync(path);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();

        // The timer's own lateness (a millisecond or so) is part of it, too.
        times.Add((Stopwatch.GetElapsedTime(start) - due).TotalMilliseconds);
    }
}
