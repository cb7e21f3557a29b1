using BackupEngine.Catalog;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace BackupEngine.Hosting.Tests;

public sealed class AddBackupEngineTests : IDisposable
{
    private readonly ScratchDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_host_with_a_directory_and_limits_backs_up_within_them()
    {
        string store = _directory.File("store");
        using IHost host = Build(new() { ["Directory"] = store, ["Limits:MaxMemoryBytes"] = "134217728", ["Limits:MaxWorkers"] = "2" });
        await host.StartAsync(Token);
        OperationLimits limits = host.Services.GetRequiredService<OperationLimits>();
        Assert.Equal(new OperationLimitOptions { MaxMemoryBytes = 128 << 20, MaxWorkers = 2 }, limits.Options);
        BackupRepository repository = await host.Services.GetRequiredService<RepositoryHost>().GetAsync(Token);
        Backup backup = await repository.BackupAsync(new MemoryVolume([1, 2, 3]), new BackupOptions { VolumeId = "v" }, cancellationToken: Token);
        Assert.Equal(store, repository.Name);
        Assert.Equal(BackupStatus.Available, backup.Status);
        Assert.True(limits.PeakBufferBytes > 0);
        await host.StopAsync(Token);
    }

    [Theory]
    [InlineData("Directory", null, "BackupEngine:Directory is missing")]
    [InlineData("Limits:MaxMemoryBytes", "1", "MaxMemoryBytes cannot be 1")]
    [InlineData("Limits:UploadBytesPerSecond", "0", "UploadBytesPerSecond cannot be 0")]
    [InlineData("Limits:Bandwidth", "5", "Bandwidth")]
    [InlineData("Folder", "x", "Folder")]
    public async Task A_host_with_settings_that_make_no_sense_does_not_start_and_says_which(string name, string? value, string message)
    {
        using IHost host = Build(new() { ["Directory"] = _directory.File("store"), [name] = value });
        Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Token));
        Assert.True(refused is OptionsValidationException or InvalidOperationException, refused.ToString());
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_beside_a_store_of_the_hosts_own_is_refused()
    {
        using IHost host = Build(new() { ["Directory"] = "x" }, (_, _) => new(new InMemoryObjectStore()));
        Assert.Contains("Directory is not used", (await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_check_tells_when_the_store_is_away_and_when_it_is_back()
    {
        using IHost host = Build([], (_, _) => new(new DirectoryObjectStore(new DirectoryObjectStoreOptions { Path = _directory.File("store"), Create = false })));
        await host.StartAsync(Token);
        HealthCheckService checks = host.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Unhealthy, (await checks.CheckHealthAsync(Token)).Status);
        Directory.CreateDirectory(_directory.File("store"));
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync(Token)).Status);

        Directory.Delete(_directory.File("store"), recursive: true);
        HealthReport report = await checks.CheckHealthAsync(Token);
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Contains(_directory.File("store"), report.Entries["backup_engine"].Description, StringComparison.Ordinal);
        await host.StopAsync(Token);
    }

    private static IHost Build(Dictionary<string, string?> settings, Func<IServiceProvider, CancellationToken, ValueTask<IObjectStore>>? openStore = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create($"BackupEngine:{setting.Key}", setting.Value)));
        builder.Services.AddBackupEngine(builder.Configuration.GetSection(BackupEngineOptions.Section), openStore);
        builder.Services.AddHealthChecks().AddBackupEngine();
        return builder.Build();
    }
}
