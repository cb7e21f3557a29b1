using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace BackupEngine.Service.Catalog;

/// <summary>Where the catalog is, and how to open it: a SQLite file in the data directory, or a PostgreSQL database.</summary>
internal sealed class CatalogDatabase : IAsyncDisposable
{
    private readonly DbContextOptions<SqliteCatalogContext>? _sqlite;
    private readonly DbContextOptions<PostgresCatalogContext>? _postgres;

    private CatalogDatabase(string connectionString, bool isShared)
    {
        ConnectionString = connectionString;
        IsShared = isShared;
        if (isShared)
        {
            _postgres = new DbContextOptionsBuilder<PostgresCatalogContext>().UseNpgsql(connectionString).Options;
        }
        else
        {
            _sqlite = new DbContextOptionsBuilder<SqliteCatalogContext>().UseSqlite(connectionString).Options;
        }
    }

    public string ConnectionString { get; }

    /// <summary>Whether other servers may use the same database.</summary>
    public bool IsShared { get; }

    /// <summary>Tells the two kinds of database apart.</summary>
    /// <param name="connectionString">Null: <c>catalog.db</c> in the data directory. With a <c>Host</c>: PostgreSQL. Otherwise SQLite.</param>
    /// <param name="dataDirectory">The server's own directory.</param>
    public static CatalogDatabase At(string? connectionString, string dataDirectory)
    {
        if (connectionString is not null && IsPostgres(connectionString))
        {
            return new(connectionString, isShared: true);
        }

        SqliteConnectionStringBuilder builder = new(connectionString ?? "Data Source=" + Path.Combine(dataDirectory, "catalog.db"));
        return new(builder.ToString(), isShared: false);
    }

    public CatalogContext Open() => _postgres is not null ? new PostgresCatalogContext(_postgres) : new SqliteCatalogContext(_sqlite!);

    /// <summary>Brings the tables to this version's shape.</summary>
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        await using CatalogContext catalog = Open();
        await catalog.Database.MigrateAsync(cancellationToken);
        if (!IsShared)
        {
            await catalog.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (IsShared)
        {
            using NpgsqlConnection pool = new(ConnectionString);
            NpgsqlConnection.ClearPool(pool);
        }
        else
        {
            using SqliteConnection pool = new(ConnectionString);
            SqliteConnection.ClearPool(pool);
        }

        return ValueTask.CompletedTask;
    }

    private static bool IsPostgres(string connectionString) => connectionString
        .Split(';', StringSplitOptions.TrimEntries)
        .Any(part => part.StartsWith("Host=", StringComparison.OrdinalIgnoreCase) || part.StartsWith("Server=", StringComparison.OrdinalIgnoreCase));
}
