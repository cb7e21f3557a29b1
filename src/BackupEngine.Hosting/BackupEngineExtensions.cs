using BackupEngine.Hosting;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the engine to a host.</summary>
public static class BackupEngineExtensions
{
    /// <summary>
    /// Adds a <see cref="RepositoryHost"/>, to ask for the repository, and the <see cref="OperationLimits"/> that it keeps to. Options are checked when the host starts.
    /// </summary>
    /// <param name="services">The host's services; their logger factory and time provider are used if there are any.</param>
    /// <param name="configuration">The section with the engine's settings, see <see cref="BackupEngineOptions"/>.</param>
    /// <param name="openStore">Opens the container of the backups when it is first needed. Null: <see cref="BackupEngineOptions.Directory"/>.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="InvalidOperationException">It was called before: a host has one repository.</exception>
    public static IServiceCollection AddBackupEngine(
        this IServiceCollection services, IConfiguration configuration, Func<IServiceProvider, CancellationToken, ValueTask<IObjectStore>>? openStore = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        if (services.Any(service => service.ServiceType == typeof(RepositoryHost)))
            throw new InvalidOperationException("AddBackupEngine was called before; a host has one repository.");
        services.AddOptions<BackupEngineOptions>()
            .Bind(configuration, binder => binder.ErrorOnUnknownConfiguration = true)
            .Configure(options => options.Limits = ReadLimits(configuration.GetSection(nameof(options.Limits))))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<BackupEngineOptions>>(new OptionsValidator(needsDirectory: openStore is null));
        services.TryAddSingleton(provider => new OperationLimits(OptionsOf(provider).Limits, provider.GetService<TimeProvider>()));
        services.AddSingleton(provider => new RepositoryHost(
            token => openStore is null ? new(OpenDirectory(OptionsOf(provider))) : openStore(provider, token),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
            provider.GetRequiredService<OperationLimits>(),
            OptionsOf(provider).Create,
            OptionsOf(provider).SingleWriter));
        return services;

        static DirectoryObjectStore OpenDirectory(BackupEngineOptions options) => new(new DirectoryObjectStoreOptions { Path = options.Directory!, Create = options.Create });
        static BackupEngineOptions OptionsOf(IServiceProvider provider) => provider.GetRequiredService<IOptions<BackupEngineOptions>>().Value;
    }

    // The generated binder leaves init-only properties as they are.
    private static OperationLimitOptions ReadLimits(IConfigurationSection section) => new()
    {
        MaxMemoryBytes = section.GetValue<long?>(nameof(OperationLimitOptions.MaxMemoryBytes)),
        MaxWorkers = section.GetValue<int?>(nameof(OperationLimitOptions.MaxWorkers)),
        ReadBytesPerSecond = section.GetValue<long?>(nameof(OperationLimitOptions.ReadBytesPerSecond)),
        UploadBytesPerSecond = section.GetValue<long?>(nameof(OperationLimitOptions.UploadBytesPerSecond)),
        DownloadBytesPerSecond = section.GetValue<long?>(nameof(OperationLimitOptions.DownloadBytesPerSecond)),
    };

    /// <summary>Adds a health check that reads the repository's one small file; the first opens the repository, as <see cref="RepositoryHost.GetAsync"/> does.</summary>
    /// <param name="checks">The host's health checks.</param>
    /// <param name="name">What the check is called.</param>
    /// <param name="failureStatus">What a repository that cannot be opened means. Default: unhealthy.</param>
    /// <param name="tags">By which the host picks checks, for liveness or readiness. Default: none.</param>
    /// <param name="timeout">How long to wait before the check counts as failed: a store may try again for long. Default: 10 seconds.</param>
    public static IHealthChecksBuilder AddBackupEngine(
        this IHealthChecksBuilder checks,
        string name = "backup_engine",
        HealthStatus failureStatus = HealthStatus.Unhealthy,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(checks);
        return checks.Add(new HealthCheckRegistration(
            name, provider => new RepositoryHealthCheck(provider.GetRequiredService<RepositoryHost>()), failureStatus, tags, timeout ?? TimeSpan.FromSeconds(10)));
    }
}
