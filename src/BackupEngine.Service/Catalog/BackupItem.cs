using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>A backup as it is shown.</summary>
/// <param name="Row">The backup.</param>
/// <param name="HasDependents">Whether a finished backup names it as its parent.</param>
internal sealed record BackupItem(BackupRow Row, bool HasDependents)
{
    public static IQueryable<BackupItem> From(IQueryable<BackupRow> rows, CatalogContext catalog) =>
        rows.Select(row => new BackupItem(row, catalog.Backups.Any(child => child.ParentId == row.Id && child.IsCommitted)));

    /// <summary>The backup with an id, as far as a caller may know of it.</summary>
    /// <exception cref="Api.ApiFault">404.</exception>
    public static async Task<BackupItem> FindAsync(CatalogContext catalog, Api.ApiRequest request, string id, CancellationToken cancellationToken)
    {
        BackupItem? item = await From(catalog.Backups.AsNoTracking().Where(row => row.Id == id), catalog).FirstOrDefaultAsync(cancellationToken);
        return item is not null && request.Caller.Sees(item.Row.ProjectId) ? item : throw Api.ApiFault.NotFound("Backup", id);
    }
}
