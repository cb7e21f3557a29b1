using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace BackupEngine.Service.Catalog;

/// <summary>Where the catalog is, and how to open it: a SQLite file in the data directory, or a PostgreSQL database.</summary>
internal sealed class CatalogDatabase : IAsyncDisposable
{
    private readonly Func<CatalogContext> _open;

    private CatalogDatabase(string connectionString, bool isShared)
    {
        ConnectionString = connectionString;
        IsShared = isShared;
        if (isShared)
        {
            _open = new PooledDbContextFactory<PostgresCatalogContext>(new DbContextOptionsBuilder<PostgresCatalogContext>().UseNpgsql(connectionString).Options).CreateDbContext;
        }
        else
        {
            _open = new PooledDbContextFactory<SqliteCatalogContext>(new DbContextOptionsBuilder<SqliteCatalogContext>().UseSqlite(connectionString).Options).CreateDbContext;
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

    /// <summary>A context of its own for the caller, who disposes of it. Contexts are pooled: making one costs about as much as a query.</summary>
    public CatalogContext Open() => _open();

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
