using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>The catalog in PostgreSQL, which several servers may share.</summary>
internal sealed class PostgresCatalogContext(DbContextOptions<PostgresCatalogContext> options) : CatalogContext(options)
{
    protected override string OrdinalCollation => "C";

    public override Task LockProjectAsync(string projectId, CancellationToken cancellationToken) =>
        Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({projectId}, 0))", cancellationToken);
}
