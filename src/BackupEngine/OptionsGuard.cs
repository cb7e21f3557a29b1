using BackupEngine.Format;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine;

/// <summary>Checks options where they enter.</summary>
internal static class OptionsGuard
{
    private const int MaxWorkers = 256;
    private const long MinMemoryBytes = 16L << 20;

    public static void Check(RepositoryOptions options)
    {
        if (options.TimeProvider is null)
            throw new ArgumentException("TimeProvider cannot be null: TimeProvider.System is the default.", nameof(options));
        if (options.IntentRefreshInterval <= TimeSpan.Zero || options.IntentStaleAfter / 2 < options.IntentRefreshInterval)
        {
            throw new ArgumentException(
                $"Intents cannot be refreshed every {options.IntentRefreshInterval} and be stale after {options.IntentStaleAfter}: the first must be above zero, and the second at least twice the first.",
                nameof(options));
        }
    }

    public static void Check(BackupOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!StoreKeys.IsValidVolumeId(options.VolumeId))
            throw new ArgumentException($"'{options.VolumeId}' cannot be a volume's id: 1 to 128 letters, digits, '.', '_' and '-' can, the first a letter or digit.", nameof(options));
        if (options.BackupId == Guid.Empty)
            throw new ArgumentException("A backup's id cannot be all zeros.", nameof(options));
        if (options.ChunkSize is { } chunkSize && !ChunkSizes.IsValid(chunkSize))
            throw new ArgumentException($"A chunk cannot have {chunkSize} bytes: a power of two from {ChunkSizes.Min} to {ChunkSizes.Max} can be.", nameof(options));
        if (options is { ChangedExtents: not null, ParentId: null })
            throw new ArgumentException("Changed extents are what changed since one backup: name it by ParentId. Without it, the parent could be another backup, and data would be missing.", nameof(options));
        if (options.Metadata?.Any(entry => entry.Value is null) == true)
            throw new ArgumentException("A metadata value cannot be null.", nameof(options));
        if (options.Hash is { } hash)
            CheckDefined(hash, nameof(options.Hash), nameof(options));
        CheckDefined(options.Priority, nameof(options.Priority), nameof(options));
        CheckResources(options.Workers, options.MaxMemoryBytes, nameof(options));
    }

    public static void Check(RestoreOptions options, long volumeSize)
    {
        if (options.Range is { } range && (range.Offset < 0 || range.Length < 0 || range.Offset > volumeSize || range.Length > volumeSize - range.Offset))
            throw new ArgumentException($"The range of {range.Length} bytes from {range.Offset} is not within the volume of {volumeSize} bytes.", nameof(options));
        CheckDefined(options.Damaged, nameof(options.Damaged), nameof(options));
        CheckDefined(options.Priority, nameof(options.Priority), nameof(options));
        CheckResources(options.Workers, options.MaxMemoryBytes, nameof(options));
    }

    public static void Check(ReadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        CheckDefined(options.Damaged, nameof(options.Damaged), nameof(options));
        if (options.Damaged == DamagedData.Skip)
            throw new ArgumentException($"{nameof(options.Damaged)} cannot be {DamagedData.Skip} for a stream, which has no bytes of its own to leave: {DamagedData.Fail} and {DamagedData.Zero} are possible.", nameof(options));
    }

    public static void Check(PruneOptions options)
    {
        CheckVolumeId(options.VolumeId, nameof(options));
        foreach (int? count in new[] { options.KeepLast, options.KeepDaily, options.KeepWeekly, options.KeepMonthly })
        {
            if (count < 1)
                throw new ArgumentException($"A rule cannot keep {count} backups: 1 is the least.", nameof(options));
        }

        if (options.RepackBelowPercent is { } percent && !(percent is > 0 and < 100))
            throw new ArgumentException($"Packs cannot be repacked below {percent} percent: more than 0, and less than 100, can be.", nameof(options));
        if (options.IntentAge < TimeSpan.Zero)
            throw new ArgumentException($"The age of an intent cannot be {options.IntentAge}.", nameof(options));
        if (options.OrphanAge < TimeSpan.Zero)
            throw new ArgumentException($"The age of unreferenced data cannot be {options.OrphanAge}.", nameof(options));
        foreach (string volumeId in options.VolumesWithoutRecords)
            CheckVolumeId(volumeId, nameof(options));
        CheckDefined(options.Priority, nameof(options.Priority), nameof(options));
    }

    public static void Check(RepairOptions options)
    {
        CheckWorkers(options.Workers, nameof(options));
        CheckDefined(options.Priority, nameof(options.Priority), nameof(options));
    }

    public static void Check(VerifyOptions options)
    {
        CheckVolumeId(options.VolumeId, nameof(options));
        if (!(options.SamplePercent is > 0 and <= 100))
            throw new ArgumentException($"A sample cannot be {options.SamplePercent} percent: more than 0, and 100 at the most, can be.", nameof(options));
        CheckWorkers(options.Workers, nameof(options));
        CheckDefined(options.Priority, nameof(options.Priority), nameof(options));
    }

    /// <summary>Refuses a number that no member of the enumeration has: 0 of one that has no such member, or a cast of any other number.</summary>
    private static void CheckDefined<TEnum>(TEnum value, string property, string name)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw new ArgumentException($"{property} cannot be {value}: {typeof(TEnum).Name} has {string.Join(", ", Enum.GetNames<TEnum>())}.", name);
    }

    private static void CheckVolumeId(string? volumeId, string name)
    {
        if (volumeId is not null && !StoreKeys.IsValidVolumeId(volumeId))
            throw new ArgumentException($"'{volumeId}' cannot be a volume's id.", name);
    }

    private static void CheckWorkers(int? workers, string name)
    {
        if (workers is < 1 or > MaxWorkers)
            throw new ArgumentException($"There cannot be {workers} workers: 1 to {MaxWorkers} can be.", name);
    }

    private static void CheckResources(int? workers, long maxMemoryBytes, string name)
    {
        CheckWorkers(workers, name);
        if (maxMemoryBytes < MinMemoryBytes)
            throw new ArgumentException($"{maxMemoryBytes} bytes of memory are too few: {MinMemoryBytes} is the least.", name);
    }
}
