using BackupEngine.Hosting;
using BackupEngine.Limits;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Api;
using BackupEngine.Service.Auth;
using BackupEngine.Service.Backups;
using BackupEngine.Service.Catalog;
using BackupEngine.Service.Jobs;
using BackupEngine.Service.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Quartz;

namespace BackupEngine.Service;

/// <summary>Adds the backup service to an ASP.NET Core application.</summary>
public static class BackupServiceExtensions
{
    private const string ProjectPrefix = "{project:" + ProjectIdConstraint.Name + "}";

    /// <summary>Adds what the service is made of. <see cref="ServeOptions.Listen"/> is for <see cref="BackupService"/> alone.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="serve">Where volumes, backups and the catalog are.</param>
    /// <param name="options">The service's settings; validated here.</param>
    /// <exception cref="ServiceConfigurationException">A setting is missing or makes no sense.</exception>
    public static IServiceCollection AddBackupService(this IServiceCollection services, ServeOptions serve, BackupServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(serve);
        ArgumentNullException.ThrowIfNull(options);
        OptionsValidation.Check(serve, options);
        List<IVolumeProvider> providers = ProvidersOf(serve, options);
        CatalogDatabase database = CatalogDatabase.At(serve.Database, serve.DataDirectory);
        services.AddRoutingCore().Configure<RouteOptions>(routes => routes.SetParameterPolicy<ProjectIdConstraint>(ProjectIdConstraint.Name));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddSingleton(_ => database);
        services.AddSingleton<IAuthenticator>(provider => options.Auth switch
        {
            AuthMode.NoAuth => new NoAuth(),
            AuthMode.Tokens => new StaticTokens(options.Tokens),
            _ => new Keystone(new HttpClient { Timeout = TimeSpan.FromSeconds(10) }, options.Keystone, provider.GetRequiredService<TimeProvider>()),
        });
        services.AddSingleton(provider => new VolumeStore(providers, options, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TemporarySnapshots>().AddSingleton<VolumeChanges>().AddSingleton<SnapshotChanges>().AddSingleton<Quotas>();
        services.AddSingleton<BackupCreation>().AddSingleton<BackupRemoval>().AddSingleton<BackupRestoration>().AddSingleton<BackupUpdate>();
        services.AddSingleton<RecordExport>().AddSingleton<RecordImport>();
        services.AddSingleton(provider => new RepositoryHost(
            cancel => provider.GetRequiredService<FailReasons>().OpenAsync(serve.OpenStore, cancel),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>(),
            new OperationLimits(options.Limits),
            singleWriter: serve.SingleWriter || options.SingleWriter));
        AddJobs(services, database, options);
        return services;
    }

    /// <summary>Maps the service's routes: version discovery, v2, v3, and our own.</summary>
    /// <param name="app">The application.</param>
    public static void MapBackupService(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseRouting();
        app.UseMiddleware<ApiMiddleware>();
        app.MapGet("/", http => VersionDocument.WriteAsync(http, null)).WithMetadata(new OpenToAll());
        app.MapGet("/v2", http => VersionDocument.WriteAsync(http, 2)).WithMetadata(new OpenToAll());
        app.MapGet("/v3", http => VersionDocument.WriteAsync(http, 3)).WithMetadata(new OpenToAll());
        foreach (string prefix in (string[])[$"/v3/{ProjectPrefix}", "/v3", $"/v2/{ProjectPrefix}"])
        {
            RouteGroupBuilder group = app.MapGroup(prefix);
            group.MapBackups();
            group.MapVolumes();
            group.MapSnapshots();
            group.MapQuotas();
        }

        app.MapProgress();
    }

    private static List<IVolumeProvider> ProvidersOf(ServeOptions serve, BackupServiceOptions options)
    {
        List<IVolumeProvider> providers = [];
        if (serve.VolumesDirectory is not null)
        {
            providers.Add(new DirectoryVolumeProvider(serve.VolumesDirectory));
        }

        if (options.Devices.Count > 0)
        {
            providers.Add(new DeviceVolumeProvider(options.Devices));
        }

        return providers;
    }

    private static void AddJobs(IServiceCollection services, CatalogDatabase database, BackupServiceOptions options)
    {
        services.AddSingleton<RunningJobs>().AddSingleton<FailReasons>().AddSingleton<JobQueue>().AddSingleton<JobRunner>().AddTransient<CatalogJob>();
        services.AddSingleton<IBackupWork, CreateWork>().AddSingleton<IBackupWork, RestoreWork>();
        services.AddSingleton<IBackupWork, DeleteWork>().AddSingleton<IBackupWork, ImportWork>();
        services.AddQuartz(quartz => quartz
            .ConfigureScheduler(scheduler =>
            {
                scheduler.InstanceName = "BackupEngine";
                scheduler.GenerateInstanceId = database.IsShared;
                scheduler.IdleWaitTime = TimeSpan.FromSeconds(5);
                scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always;
            })
            .UseDefaultThreadPool(options.MaxConcurrentJobs)
            .UsePersistentStore(store => UseDatabase(store, database)));
        services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        services.AddSingleton<JobSweep>().AddSingleton<IHostedService>(provider => provider.GetRequiredService<JobSweep>());
        services.AddSingleton<ContainerCheck>().AddSingleton<IHostedService>(provider => provider.GetRequiredService<ContainerCheck>());
    }

    private static void UseDatabase(IPersistentStoreBuilder store, CatalogDatabase database)
    {
        store.ConfigureStore(ado =>
        {
            ado.TablePrefix = QuartzTables.Prefix;
            ado.StoreJobDataAsStrings = true;
        });
        if (database.IsShared)
        {
            store.UsePostgres(database.ConnectionString);
            store.UseClustering(cluster =>
            {
                cluster.CheckinInterval = TimeSpan.FromSeconds(5);
                cluster.CheckinMisfireThreshold = TimeSpan.FromSeconds(15);
            });
        }
        else
        {
            store.UseSqlite(database.ConnectionString);
        }
    }
}
