using System.Net.Sockets;
using BackupEngine.ObjectStores;
using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service;

/// <summary>The backup service as a program of its own: what <c>backup-engine serve</c> runs.</summary>
public static class BackupService
{
    /// <summary>Serves until it is cancelled or the process is asked to end; running jobs are then brought to rest first.</summary>
    /// <param name="options">Where volumes, backups and the catalog are.</param>
    /// <param name="cancellationToken">Ends the service.</param>
    /// <exception cref="ServiceConfigurationException">A setting is missing or makes no sense, or another server uses the data directory or the address.</exception>
    public static async Task RunAsync(ServeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.DataDirectory);
        await using FileStream dataLock = LockDirectory(options.DataDirectory);
        await using WebApplication app = Build(options);
        await app.Services.GetRequiredService<CatalogDatabase>().MigrateAsync(cancellationToken);
        app.MapBackupService();
        await StartAsync(app, options, cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken);
    }

    /// <summary>Fills an empty catalog from the container alone: what <c>backup-engine catalog rebuild</c> runs.</summary>
    /// <param name="options">Where the backups are, and where the catalog is to be.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many backups were entered.</returns>
    /// <exception cref="ServiceConfigurationException">The catalog is not empty, or a server uses it.</exception>
    /// <exception cref="BackupEngineException">The container could not be read.</exception>
    public static async Task<int> RebuildCatalogAsync(ServeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.DataDirectory);
        await using FileStream dataLock = LockDirectory(options.DataDirectory);
        await using CatalogDatabase database = CatalogDatabase.At(options.Database, options.DataDirectory);
        await using IObjectStore store = await options.OpenStore(cancellationToken);
        await using BackupRepository repository = await BackupRepository.OpenAsync(store, cancellationToken: cancellationToken);
        return await CatalogRebuild.RunAsync(database, repository, ReadSettings(options), cancellationToken);
    }

    internal static WebApplication Build(ServeOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = Path.GetFullPath(options.DataDirectory) });
        AddConfigFile(builder.Configuration, options);
        BackupServiceOptions service = SettingsOf(builder.Configuration, options);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel((context, kestrel) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = service.MaxBodyBytes;
            kestrel.Configure(context.Configuration.GetSection("Kestrel"));
        });
        if (!builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
        {
            OptionsValidation.CheckAddress(options.Listen, service.Auth);
            builder.WebHost.UseUrls(options.Listen);
        }
        else
        {
            foreach (IConfigurationSection endpoint in builder.Configuration.GetSection("Kestrel:Endpoints").GetChildren())
            {
                OptionsValidation.CheckAddress(endpoint["Url"] ?? "", service.Auth);
            }
        }

        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        (options.ConfigureLogging ?? (logging => logging.AddSimpleConsole(console => console.SingleLine = true)
            .AddFilter("Microsoft", LogLevel.Warning).AddFilter("Quartz", LogLevel.Warning)))(builder.Logging);
        builder.Services.AddBackupService(options, service);
        configure?.Invoke(builder);
        return builder.Build();
    }

    private static async Task StartAsync(WebApplication app, ServeOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is SocketException or IOException { InnerException: AddressInUseException })
        {
            throw new ServiceConfigurationException($"The service cannot listen on {options.Listen}: {exception.Message}", exception);
        }
    }

    private static BackupServiceOptions ReadSettings(ServeOptions options)
    {
        ConfigurationManager configuration = new();
        AddConfigFile(configuration, options);
        return SettingsOf(configuration, options);
    }

    private static void AddConfigFile(ConfigurationManager configuration, ServeOptions options)
    {
        if (options.ConfigFile is not null)
        {
            try
            {
                configuration.AddJsonFile(Path.GetFullPath(options.ConfigFile), optional: false, reloadOnChange: false);
            }
            catch (Exception exception) when (exception is IOException or InvalidDataException)
            {
                throw new ServiceConfigurationException($"{options.ConfigFile} cannot be read: {exception.Message}", exception);
            }
        }
    }

    private static BackupServiceOptions SettingsOf(ConfigurationManager configuration, ServeOptions options)
    {
        try
        {
            BackupServiceOptions service = configuration.GetSection(BackupServiceOptions.Section).Get<BackupServiceOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new();
            return service with { Auth = options.Auth ?? service.Auth };
        }
        catch (InvalidOperationException exception)
        {
            throw new ServiceConfigurationException($"{options.ConfigFile}: {exception.Message}", exception);
        }
    }

    private static FileStream LockDirectory(string directory)
    {
        try
        {
            return new(Path.Combine(directory, "server.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new ServiceConfigurationException($"Another server uses the data directory {directory}; end it, or give this one a directory of its own.", exception);
        }
    }
}
