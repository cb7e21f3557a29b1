using System.Globalization;
using BackupEngine.Catalog;

namespace BackupEngine.Pruning;

/// <summary>Decides which backups the rules keep.</summary>
internal static class RetentionPolicy
{
    /// <summary>The available backups that no rule keeps; none when there are no rules. Volumes are looked at one by one, and each keeps one backup at least.</summary>
    public static IEnumerable<Backup> SelectRemoved(IEnumerable<Backup> backups, PruneOptions options) => options.HasRules
        ? backups.Where(backup => backup.Status == BackupStatus.Available).GroupBy(backup => backup.VolumeId).SelectMany(volume => SelectRemovedOf(volume, options))
        : [];

    private static IEnumerable<Backup> SelectRemovedOf(IEnumerable<Backup> backups, PruneOptions options)
    {
        Backup[] newestFirst = [.. backups.OrderByDescending(backup => backup.DataTimestamp).ThenByDescending(backup => backup.CreatedAt).ThenByDescending(backup => backup.Id)];
        var kept = new HashSet<Guid>();
        Keep(options.KeepLast, backup => backup.Id);
        Keep(options.KeepDaily, backup => backup.DataTimestamp.UtcDateTime.Date);
        Keep(options.KeepWeekly, backup => (ISOWeek.GetYear(backup.DataTimestamp.UtcDateTime), ISOWeek.GetWeekOfYear(backup.DataTimestamp.UtcDateTime)));
        Keep(options.KeepMonthly, backup => (backup.DataTimestamp.UtcDateTime.Year, backup.DataTimestamp.UtcDateTime.Month));
        return newestFirst.Where(backup => !kept.Contains(backup.Id));

        void Keep<TPeriod>(int? count, Func<Backup, TPeriod> period) =>
            kept.UnionWith(newestFirst.DistinctBy(period).Take(count ?? 0).Select(backup => backup.Id));
    }
}
