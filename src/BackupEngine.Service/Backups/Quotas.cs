using BackupEngine.Service.Api;
using BackupEngine.Service.Catalog;
using Microsoft.EntityFrameworkCore;

namespace BackupEngine.Service.Backups;

/// <summary>How much a project may have, and has. Checked inside the transaction that adds to it.</summary>
internal sealed class Quotas(BackupServiceOptions options)
{
    public const string Backups = "backups";
    public const string BackupGigabytes = "backup_gigabytes";
    public const string Volumes = "volumes";
    public const string Gigabytes = "gigabytes";
    public const string Snapshots = "snapshots";

    /// <summary>The configured limits, and those that are only shown because clients expect them.</summary>
    public IReadOnlyDictionary<string, long> Defaults { get; } = new Dictionary<string, long>
    {
        [Volumes] = options.Quotas.Volumes,
        ["per_volume_gigabytes"] = -1,
        [Snapshots] = options.Quotas.Snapshots,
        [Gigabytes] = options.Quotas.Gigabytes,
        [Backups] = options.Quotas.Backups,
        [BackupGigabytes] = options.Quotas.BackupGigabytes,
        ["groups"] = -1,
    };

    public async Task<Dictionary<string, long>> LimitsAsync(CatalogContext catalog, string projectId, CancellationToken cancellationToken)
    {
        Dictionary<string, long> limits = new(Defaults);
        foreach (QuotaRow row in await catalog.Quotas.AsNoTracking().Where(row => row.ProjectId == projectId).ToListAsync(cancellationToken))
        {
            limits[row.Resource] = row.Limit;
        }

        return limits;
    }

    public static async Task<Dictionary<string, long>> UsageAsync(CatalogContext catalog, string projectId, CancellationToken cancellationToken) => new()
    {
        [Volumes] = await catalog.Volumes.CountAsync(row => row.ProjectId == projectId, cancellationToken),
        [Snapshots] = await catalog.Snapshots.CountAsync(row => row.ProjectId == projectId, cancellationToken),
        [Gigabytes] = await VolumeGigabytesAsync(catalog, projectId, cancellationToken),
        [Backups] = await catalog.Backups.CountAsync(row => row.ProjectId == projectId, cancellationToken),
        [BackupGigabytes] = await catalog.Backups.Where(row => row.ProjectId == projectId).SumAsync(row => row.Size, cancellationToken),
    };

    /// <summary>Refuses one more backup.</summary>
    /// <exception cref="ApiFault">413.</exception>
    public async Task CheckBackupAsync(CatalogContext catalog, string projectId, long size, CancellationToken cancellationToken)
    {
        Dictionary<string, long> limits = await LimitsAsync(catalog, projectId, cancellationToken);
        if (limits[BackupGigabytes] >= 0)
        {
            long used = await catalog.Backups.Where(row => row.ProjectId == projectId).SumAsync(row => row.Size, cancellationToken);
            if (used + size > limits[BackupGigabytes])
            {
                throw ApiFault.OverLimit("VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. "
                    + $"Requested {size}G, quota is {limits[BackupGigabytes]}G and {used}G has been consumed.");
            }
        }

        if (limits[Backups] >= 0 && await catalog.Backups.CountAsync(row => row.ProjectId == projectId, cancellationToken) >= limits[Backups])
        {
            throw ApiFault.OverLimit($"BackupLimitExceeded: Maximum number of backups allowed ({limits[Backups]}) exceeded");
        }
    }

    /// <summary>Refuses one more volume, or (with <paramref name="isSnapshot"/>) snapshot.</summary>
    /// <exception cref="ApiFault">413.</exception>
    public async Task CheckVolumeAsync(CatalogContext catalog, string projectId, long size, bool isSnapshot, CancellationToken cancellationToken)
    {
        Dictionary<string, long> limits = await LimitsAsync(catalog, projectId, cancellationToken);
        if (limits[Gigabytes] >= 0)
        {
            long used = await VolumeGigabytesAsync(catalog, projectId, cancellationToken);
            if (used + size > limits[Gigabytes])
            {
                throw ApiFault.OverLimit("Requested volume or snapshot exceeds allowed gigabytes quota. "
                    + $"Requested {size}G, quota is {limits[Gigabytes]}G and {used}G has been consumed.");
            }
        }

        string resource = isSnapshot ? Snapshots : Volumes;
        if (limits[resource] < 0)
        {
            return;
        }

        int count = isSnapshot
            ? await catalog.Snapshots.CountAsync(row => row.ProjectId == projectId, cancellationToken)
            : await catalog.Volumes.CountAsync(row => row.ProjectId == projectId, cancellationToken);
        if (count >= limits[resource])
        {
            throw ApiFault.OverLimit($"Maximum number of {resource} allowed ({limits[resource]}) exceeded for quota '{resource}'.");
        }
    }

    private static async Task<long> VolumeGigabytesAsync(CatalogContext catalog, string projectId, CancellationToken cancellationToken) =>
        await catalog.Volumes.Where(row => row.ProjectId == projectId).SumAsync(row => row.Size, cancellationToken)
        + await catalog.Snapshots.Where(row => row.ProjectId == projectId).SumAsync(row => row.Size, cancellationToken);
}
