using System.Linq.Expressions;
using BackupEngine.Service.Api;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Catalog;

/// <summary>A page of the volumes that a caller asked for.</summary>
internal static class VolumeList
{
    private static readonly Dictionary<string, Column<VolumeRow>> _columns = new()
    {
        ["id"] = Column<VolumeRow>.Text(row => row.Id),
        ["name"] = Column<VolumeRow>.Text(row => row.Name),
        ["display_name"] = Column<VolumeRow>.Text(row => row.Name),
        ["status"] = Column<VolumeRow>.Text(row => row.Status),
        ["size"] = Column<VolumeRow>.Number(row => row.Size),
        ["created_at"] = Column<VolumeRow>.Time(row => row.CreatedAt),
        ["updated_at"] = Column<VolumeRow>.Time(row => row.UpdatedAt ?? DateTime.UnixEpoch),
        ["availability_zone"] = Column<VolumeRow>.Text(row => row.AvailabilityZone),
        ["project_id"] = Column<VolumeRow>.Text(row => row.ProjectId),
    };

    public static async Task<IReadOnlyList<VolumeRow>> ReadAsync(CatalogContext catalog, ApiRequest request, ListQuery query, CancellationToken cancellationToken)
    {
        IQueryable<VolumeRow> rows = catalog.Volumes.AsNoTracking();
        string project = request.Caller.ProjectId;
        bool seesUnowned = request.Caller.IsAdmin;
        if (!query.AllTenants)
        {
            rows = rows.Where(row => row.ProjectId == project || (seesUnowned && row.ProjectId == ""));
        }

        foreach ((string name, string value) in query.Filters)
        {
            Expression<Func<VolumeRow, bool>>? filter = _columns.GetValueOrDefault(name)?.EqualTo(value);
            if (filter is null)
            {
                return [];
            }

            rows = rows.Where(filter);
        }

        List<(Column<VolumeRow>, bool)> order = [.. query.Sort.Select(key =>
            (_columns.TryGetValue(key.Column, out Column<VolumeRow>? column) ? column : throw ApiFault.InvalidInput("Invalid sort key"), key.Descending))];
        bool direction = query.Sort.Count == 0 || query.Sort[0].Descending;
        order.AddRange([(_columns["created_at"], direction), (_columns["id"], direction)]);
        IQueryable<VolumeRow> page = rows.InOrder(order);
        if (query.Marker is { } markerId)
        {
            VolumeRow? marker = await catalog.Volumes.AsNoTracking().FirstOrDefaultAsync(row => row.Id == markerId, cancellationToken);
            page = marker is not null && (query.AllTenants || request.Caller.Sees(marker.ProjectId)) ? page.After(order, marker) : throw ApiFault.NotFound("Volume", markerId);
        }

        return query.Limit == 0 ? [] : await page.Skip(query.Offset).Take(query.Limit).ToListAsync(cancellationToken);
    }
}
