using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace BackupEngine.Service.Catalog;

/// <summary>Lets <c>dotnet ef migrations add</c> make the PostgreSQL model without a server.</summary>
internal sealed class DesignTimePostgresContext : IDesignTimeDbContextFactory<PostgresCatalogContext>
{
    public PostgresCatalogContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresCatalogContext>().UseNpgsql("Host=localhost").Options);
}
