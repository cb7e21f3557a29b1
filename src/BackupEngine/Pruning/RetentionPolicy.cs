using System.Globalization;
using BackupEngine.Catalog;

namespace BackupEngine.Pruning;

/// <summary>Decides which backups the rules keep.</summary>
internal static class RetentionPolicy
{
    /// <summary>
    /// Returns the available backups that no rule keeps; none when there are no rules. Volumes are looked at one by one, and each keeps the backup that was stored last.
    /// </summary>
    /// <param name="backups">The records.</param>
    /// <param name="options">The rules.</param>
    /// <param name="now">The store's time: no backup counts for a later day, week or month.</param>
    public static IEnumerable<Backup> SelectRemoved(IEnumerable<Backup> backups, PruneOptions options, DateTimeOffset now) => options.HasRules
        ? backups.GroupBy(backup => backup.VolumeId).SelectMany(volume => SelectRemovedOf(volume, options, now))
        : [];

    private static IEnumerable<Backup> SelectRemovedOf(IEnumerable<Backup> backups, PruneOptions options, DateTimeOffset now)
    {
        Backup[] newestFirst = [.. BackupOrder.Sort(backups).Reverse().Where(backup => backup.Status == BackupStatus.Available)];
        Dictionary<Guid, DateTime> times = FindTimes(newestFirst, now);
        HashSet<Guid> kept = [.. newestFirst.Take(Math.Max(1, options.KeepLast ?? 0)).Select(backup => backup.Id)];
        Keep(options.KeepDaily, time => time.Date);
        Keep(options.KeepWeekly, time => (ISOWeek.GetYear(time), ISOWeek.GetWeekOfYear(time)));
        Keep(options.KeepMonthly, time => (time.Year, time.Month));
        return newestFirst.Where(backup => !kept.Contains(backup.Id));

        void Keep<TPeriod>(int? count, Func<DateTime, TPeriod> period) =>
            kept.UnionWith(newestFirst.GroupBy(backup => period(times[backup.Id])).OrderByDescending(group => group.Key).Take(count ?? 0).Select(group => group.First().Id));
    }

    /// <summary>
    /// The time of a backup is that of its data, unless the store got it before that: then it is the store's. When that is in the future as well, because the store's clock was
    /// wrong, the backup counts with the one that was stored after it, or for now.
    /// </summary>
    private static Dictionary<Guid, DateTime> FindTimes(Backup[] newestFirst, DateTimeOffset now)
    {
        var times = new Dictionary<Guid, DateTime>();
        DateTimeOffset later = now;
        foreach (Backup backup in newestFirst)
        {
            DateTimeOffset time = backup.DataTimestamp;
            if ((backup.StoredAt ?? BackupOrder.GetUsable(backup.RecordModifiedAt)) is { } stored && BackupOrder.IsFuture(time, stored))
                time = stored;
            later = BackupOrder.IsFuture(time, now) ? later : time;
            times[backup.Id] = later.UtcDateTime;
        }

        return times;
    }
}
