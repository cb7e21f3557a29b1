using BackupEngine.Service.Catalog;
using Microsoft.AspNetCore.Builder;
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
    /// <exception cref="ServiceConfigurationException">A setting is missing or makes no sense, or another server uses the data directory.</exception>
    public static async Task RunAsync(ServeOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        Directory.CreateDirectory(options.DataDirectory);
        await using FileStream dataLock = LockDirectory(options.DataDirectory);
        await using WebApplication app = Build(options);
        await app.Services.GetRequiredService<CatalogDatabase>().MigrateAsync(cancellationToken);
        app.MapBackupService();
        await app.RunAsync(cancellationToken);
    }

    internal static WebApplication Build(ServeOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = Path.GetFullPath(options.DataDirectory) });
        if (options.ConfigFile is not null)
        {
            builder.Configuration.AddJsonFile(Path.GetFullPath(options.ConfigFile), optional: false, reloadOnChange: false);
        }

        BackupServiceOptions service = builder.Configuration.GetSection(BackupServiceOptions.Section).Get<BackupServiceOptions>() ?? new();
        service = service with { Auth = options.Auth ?? service.Auth };
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
