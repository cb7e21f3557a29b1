using System.Linq.Expressions;
using BackupEngine.Service.Api;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>A page of the backups that a caller asked for.</summary>
/// <param name="Rows">The backups, and whether finished others name them as their parents.</param>
/// <param name="Count">How many there are on all pages; null when nobody asked.</param>
internal sealed record BackupList(IReadOnlyList<BackupItem> Rows, int? Count)
{
    private static readonly string[] _tieBreakers = ["created_at", "id"];
    private static readonly string[] _openFilters = ["name", "status", "volume_id"];

    public static async Task<BackupList> ReadAsync(CatalogContext catalog, ApiRequest request, ListQuery query, CancellationToken cancellationToken)
    {
        IQueryable<BackupRow> rows = catalog.Backups.AsNoTracking();
        string project = request.Caller.ProjectId;
        if (!query.AllTenants)
        {
            rows = rows.Where(row => row.ProjectId == project);
        }

        IReadOnlyList<(Column<BackupRow>, bool)> order = OrderOf(request, query);
        if (Filter(rows, request, query) is not { } filtered)
        {
            return new([], query.WithCount ? 0 : null);
        }

        int? count = query.WithCount ? await filtered.CountAsync(cancellationToken) : null;
        IQueryable<BackupRow> page = filtered.InOrder(order);
        if (query.Marker is { } markerId)
        {
            BackupRow? marker = await catalog.Backups.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(row => row.Id == markerId, cancellationToken);
            page = marker is not null && (query.AllTenants || request.Caller.Sees(marker.ProjectId))
                ? page.After(order, marker)
                : throw ApiFault.NotFound("Backup", markerId);
        }

        if (query.Limit == 0)
        {
            return new([], count);
        }

        if (query.Offset > 0)
        {
            page = page.Skip(query.Offset);
        }

        return new(await BackupItem.From(page.Take(query.Limit), catalog).ToListAsync(cancellationToken), count);
    }

    private static List<(Column<BackupRow>, bool)> OrderOf(ApiRequest request, ListQuery query)
    {
        List<SortKey> keys = query.Sort.Count > 0 ? [.. query.Sort] : [new("created_at", Descending: true)];
        bool direction = keys[0].Descending;
        keys.AddRange(_tieBreakers.Except(keys.Select(key => key.Column)).Select(column => new SortKey(column, direction)));
        bool knowsName = request.IsV2 || request.Version >= ApiVersion.SortByName;
        return [.. keys.DistinctBy(key => key.Column).Select(key =>
        {
            string name = key.Column == "name" && knowsName ? "display_name" : key.Column;
            return BackupColumns.All.TryGetValue(name, out Column<BackupRow>? column) ? (column, key.Descending) : throw ApiFault.InvalidInput("Invalid sort key");
        })];
    }

    /// <summary>The rows that fit all filters; null when none can.</summary>
    private static IQueryable<BackupRow>? Filter(IQueryable<BackupRow> rows, ApiRequest request, ListQuery query)
    {
        foreach ((string name, string value) in query.Filters)
        {
            if (name == "name~" && request.Version >= ApiVersion.LikeFilters)
            {
                rows = rows.Where(row => row.Name != null && row.Name.Contains(value));
                continue;
            }

            if (!request.Caller.IsAdmin && !_openFilters.Contains(name))
            {
                if (request.Version >= ApiVersion.StrictFilters)
                {
                    throw ApiFault.BadRequest($"Invalid filters {name} are found in query options.");
                }

                continue;
            }

            Expression<Func<BackupRow, bool>>? filter = BackupColumns.All.GetValueOrDefault(name == "name" ? "display_name" : name)?.EqualTo(value);
            if (filter is null)
            {
                return null;
            }

            rows = rows.Where(filter);
        }

        return rows;
    }
}
