using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace BackupEngine.Service.Catalog;

/// <summary>Lets <c>dotnet ef migrations add</c> make the SQLite model without a server.</summary>
internal sealed class DesignTimeSqliteContext : IDesignTimeDbContextFactory<SqliteCatalogContext>
{
    public SqliteCatalogContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteCatalogContext>().UseSqlite("Data Source=design-time.db").Options);
}
