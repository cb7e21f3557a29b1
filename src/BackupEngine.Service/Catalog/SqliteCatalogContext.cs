using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>The catalog in one SQLite file. There is one writer at a time: every transaction of ours begins as a writing one.</summary>
internal sealed class SqliteCatalogContext(DbContextOptions<SqliteCatalogContext> options) : CatalogContext(options)
{
    protected override string OrdinalCollation => "BINARY";

    public override Task LockProjectAsync(string projectId, CancellationToken cancellationToken) => Task.CompletedTask;
}
