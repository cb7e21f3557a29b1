namespace BackupEngine.Catalog;

/// <summary>
/// The one order of backups (docs/decisions/0026): later means stored later. It rests on the store's clock and on what a backup found when it was stored, never on the clock
/// of the machine that made it.
/// </summary>
internal static class BackupOrder
{
    /// <summary>The amount by which a time may be later than the store's clock before it counts as a time in the future.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Returns backups in order, the one that was stored first at the beginning. A backup is always later than its ancestors.</summary>
    /// <param name="backups">The backups; all records of the volumes concerned, so that every parent is among them.</param>
    public static Backup[] Sort(IEnumerable<Backup> backups)
    {
        Backup[] all = [.. backups];
        Dictionary<Guid, long> places = FindPlaces(all);
        return [.. all.OrderBy(backup => places[backup.Id]).ThenBy(GetStoredTicks).ThenBy(backup => backup.Id)];
    }

    /// <summary>Returns the last available backup, or null.</summary>
    /// <param name="backups">All records of the volume.</param>
    /// <param name="withNewer">Whether a backup counts that a newer engine wrote. It cannot be used, but an older one must not pass for the latest without a word.</param>
    public static Backup? FindLatest(IEnumerable<Backup> backups, bool withNewer = false) =>
        Array.FindLast(Sort(backups), backup => (backup.Status == BackupStatus.Available && !backup.IsUnreadable) || (withNewer && backup.IsNewer));

    /// <summary>Returns the place of a new backup: after all others, and not before the store's time.</summary>
    /// <param name="others">All records of the volume.</param>
    /// <param name="storedAt">The store's time.</param>
    public static DateTimeOffset GetNext(IReadOnlyList<Backup> others, DateTimeOffset storedAt)
    {
        long last = others.Count == 0 ? 0 : FindPlaces(others).Values.Max();
        return new DateTimeOffset(Math.Min(Math.Max(storedAt.UtcTicks, last + 1), DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);
    }

    /// <summary>Returns a store's time, or null from a store that does not tell any.</summary>
    public static DateTimeOffset? GetUsable(DateTimeOffset? lastModified) => lastModified > DateTimeOffset.UnixEpoch ? lastModified : null;

    /// <summary>Gets a value that indicates whether a time is later than another by more than the tolerance.</summary>
    public static bool IsFuture(DateTimeOffset time, DateTimeOffset now) => time.UtcTicks - Tolerance.Ticks > now.UtcTicks;

    private static Dictionary<Guid, long> FindPlaces(IEnumerable<Backup> backups)
    {
        var byId = new Dictionary<Guid, Backup>();
        foreach (Backup backup in backups)
            byId[backup.Id] = backup;
        var places = new Dictionary<Guid, long>(byId.Count);
        var lineage = new Stack<Backup>();
        foreach (Backup backup in byId.Values)
        {
            // Parents of damaged or imported records can form a circle; it ends at the first backup that is met again.
            var seen = new HashSet<Guid>();
            for (Backup? next = backup; next is not null && !places.ContainsKey(next.Id) && seen.Add(next.Id); next = next.ParentId is { } id ? byId.GetValueOrDefault(id) : null)
                lineage.Push(next);
            while (lineage.TryPop(out Backup? next))
                places[next.Id] = Math.Max(GetOwnPlace(next), next.ParentId is { } id && places.TryGetValue(id, out long parent) ? parent + 1 : 0);
        }

        return places;
    }

    /// <summary>Records of earlier versions have no times of the store but that of the record itself, which changes when the record does: the earlier of two times counts.</summary>
    private static long GetOwnPlace(Backup backup) => (backup.OrderedAt ?? backup.StoredAt)?.UtcTicks ?? GetStoredTicks(backup);

    private static long GetStoredTicks(Backup backup) =>
        backup.StoredAt is { } stored ? stored.UtcTicks
        : GetUsable(backup.RecordModifiedAt) is not { } modified ? backup.CreatedAt.UtcTicks
        : backup.Status == BackupStatus.Creating ? modified.UtcTicks
        : Math.Min(backup.CreatedAt.UtcTicks, modified.UtcTicks);
}
