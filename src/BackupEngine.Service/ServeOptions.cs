using BackupEngine.ObjectStores;
using Microsoft.Extensions.Logging;

namespace BackupEngine.Service;

/// <summary>Where the service finds and keeps things.</summary>
public sealed record ServeOptions
{
    /// <summary>Opens the container of the backups; called when it is first needed, and again after it failed. The service disposes of the store.</summary>
    public required Func<CancellationToken, ValueTask<IObjectStore>> OpenStore { get; init; }

    /// <summary>The directory of the volumes' files, <c>UUID.img</c>; made if missing. Null: only configured block devices are volumes.</summary>
    public string? VolumesDirectory { get; init; }

    /// <summary>The server's own directory, for the SQLite catalog; made if missing. One server at a time.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Connection string of the catalog. Null: <c>catalog.db</c> in <see cref="DataDirectory"/>. One with a <c>Host</c> is PostgreSQL.</summary>
    public string? Database { get; init; }

    /// <summary>The address to listen on. Default: port 8776 on loopback.</summary>
    public string Listen { get; init; } = "http://127.0.0.1:8776";

    /// <summary>How callers prove who they are; null for what the configuration file says.</summary>
    public AuthMode? Auth { get; init; }

    /// <summary>A JSON file with the section <see cref="BackupServiceOptions.Section"/>, and any others that ASP.NET Core knows (<c>Kestrel</c>, <c>Logging</c>).</summary>
    public string? ConfigFile { get; init; }

    /// <summary>Gets a value that indicates whether a store that does not honour conditional puts may be written to; see <see cref="RepositoryOptions.SingleWriter"/>. Default: what the configuration file says.</summary>
    public bool SingleWriter { get; init; }

    /// <summary>Changes how logs are written. Null: to the console.</summary>
    public Action<ILoggingBuilder>? ConfigureLogging { get; init; }
}
