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
    public static IServiceCollection AddBackupEngine(
        this IServiceCollection services, IConfiguration configuration, Func<IServiceProvider, CancellationToken, ValueTask<IObjectStore>>? openStore = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptions<BackupEngineOptions>().Bind(configuration, binder => binder.ErrorOnUnknownConfiguration = true).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BackupEngineOptions>>(new OptionsValidator(needsDirectory: openStore is null));
        services.TryAddSingleton(provider => new OperationLimits(OptionsOf(provider).Limits, provider.GetService<TimeProvider>()));
        services.TryAddSingleton(provider => new RepositoryHost(
            token => openStore is null ? new(new DirectoryObjectStore(OptionsOf(provider).Directory!)) : openStore(provider, token),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance,
            provider.GetRequiredService<OperationLimits>()));
        return services;

        static BackupEngineOptions OptionsOf(IServiceProvider provider) => provider.GetRequiredService<IOptions<BackupEngineOptions>>().Value;
    }

    /// <summary>Adds a health check that reads the repository's one small file.</summary>
    /// <param name="checks">The host's health checks.</param>
    /// <param name="name">What the check is called.</param>
    /// <param name="failureStatus">What a repository that cannot be opened means. Default: unhealthy.</param>
    public static IHealthChecksBuilder AddBackupEngine(this IHealthChecksBuilder checks, string name = "backup_engine", HealthStatus failureStatus = HealthStatus.Unhealthy)
    {
        ArgumentNullException.ThrowIfNull(checks);
        return checks.Add(new HealthCheckRegistration(name, provider => new RepositoryHealthCheck(provider.GetRequiredService<RepositoryHost>()), failureStatus, tags: null));
    }
}
