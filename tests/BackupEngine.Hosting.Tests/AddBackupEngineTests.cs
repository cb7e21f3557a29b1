using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
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

public sealed partial class AddBackupEngineTests : IDisposable
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

    [Fact]
    public void Every_limit_is_read()
    {
        string[] names = [.. typeof(OperationLimitOptions).GetProperties(BindingFlags.Instance | BindingFlags.Public).Select(property => property.Name)];
        var settings = names.ToDictionary(name => $"Limits:{name}", string? (_) => "134217728");
        settings["Directory"] = "x";
        using IHost host = Build(settings);
        OperationLimitOptions limits = host.Services.GetRequiredService<OperationLimits>().Options;
        Assert.All(names, name => Assert.Equal(128L << 20, Convert.ToInt64(typeof(OperationLimitOptions).GetProperty(name)!.GetValue(limits), CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("Limits:MaxWorkers", "many", "MaxWorkers")]
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

    [Fact]
    public async Task A_mount_point_without_its_mount_does_not_become_a_repository()
    {
        Directory.CreateDirectory(_directory.File("mount"));
        using IHost host = Build(new() { ["Directory"] = _directory.File("mount"), ["Create"] = "false" });
        await host.StartAsync(Token);
        RepositoryHost repositories = host.Services.GetRequiredService<RepositoryHost>();
        Assert.True((await Assert.ThrowsAsync<RepositoryException>(() => repositories.GetAsync(Token))).IsMissing);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory.File("mount")));
        Assert.Equal(HealthStatus.Unhealthy, (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token)).Status);

        await using (var mounted = new DirectoryObjectStore(_directory.File("mount")))
        await using (await BackupRepository.CreateAsync(mounted, cancellationToken: Token))
            Assert.NotNull(await repositories.GetAsync(Token));
        await host.StopAsync(Token);
    }

    [Fact]
    public async Task The_health_check_does_not_wait_for_a_store_that_does_not_answer()
    {
        using IHost host = Build([], async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new UnreachableException();
        });
        HealthReport report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Token);
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Equal(["ready"], report.Entries["backup_engine"].Tags);
    }

    /// <summary>The settings that documents show start a host.</summary>
    [Theory]
    [InlineData("docs/limits.md")]
    [InlineData("src/BackupEngine.Hosting/README.md")]
    public async Task The_configuration_that_a_document_shows_is_valid(string document)
    {
        string json = JsonBlock().Match((await File.ReadAllTextAsync(Path.Join(FindRoot(), document), Token)).ReplaceLineEndings("\n")).Groups[1].Value;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        builder.Services.AddBackupEngine(builder.Configuration.GetSection(BackupEngineOptions.Section));
        using IHost host = builder.Build();
        await host.StartAsync(Token);
        Assert.NotNull(host.Services.GetRequiredService<OperationLimits>().Options.MaxMemoryBytes);
        await host.StopAsync(Token);
    }

    [Fact]
    public void A_host_has_one_repository()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddBackupEngine(builder.Configuration.GetSection("First"));
        Assert.Throws<InvalidOperationException>(() => builder.Services.AddBackupEngine(builder.Configuration.GetSection("Second")));
    }

    private static string FindRoot([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Join(Path.GetDirectoryName(thisFile), "..", ".."));

    [GeneratedRegex(@"^```json\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex JsonBlock();

    private static IHost Build(Dictionary<string, string?> settings, Func<IServiceProvider, CancellationToken, ValueTask<IObjectStore>>? openStore = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create($"BackupEngine:{setting.Key}", setting.Value)));
        builder.Services.AddBackupEngine(builder.Configuration.GetSection(BackupEngineOptions.Section), openStore);
        builder.Services.AddHealthChecks().AddBackupEngine(tags: ["ready"], timeout: TimeSpan.FromSeconds(1));
        return builder.Build();
    }
}
