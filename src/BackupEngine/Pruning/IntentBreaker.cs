using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pruning;

/// <summary>
/// Ends the intents of writers that are known to be dead, or are said to be. In place of each backup a record is put first, as deleting: it takes the place that
/// a writer which lives after all would need to commit, so that one fails, and its data can go.
/// </summary>
internal sealed class IntentBreaker(IObjectStore store, RecordStore records, IntentStore intents, PruneOptions options, TimeProvider time)
{
    private const string InterruptedText = "the backup was interrupted";

    private readonly List<Intent> _broken = [];
    private readonly List<Deletion> _deletions = [];

    /// <summary>The objects of all broken intents and marks.</summary>
    public IReadOnlyList<string> Keys =>
        [.. _broken.Select(intent => StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id)), .. _deletions.Select(deletion => deletion.Key)];

    public async Task SelectAsync(IntentListing atWork, CancellationToken cancellationToken)
    {
        // A prune that only looks puts nothing: it takes the latest time in the listing for the store's, and the local time only when it was told to break intents.
        DateTimeOffset now = !options.DryRun && (options.BreakIntents ? atWork.Intents.Count + atWork.Deletions.Count > 0 : atWork.HasOthers(null))
            ? await StoreClock.ReadAsync(store, intents, time, cancellationToken).ConfigureAwait(false)
            : options.BreakIntents ? time.GetUtcNow() : atWork.LatestTime;
        atWork = intents.WithTime(atWork, now);
        _broken.AddRange(atWork.Intents.Where(intent => IsInScope(intent.Backup.VolumeId) && !intent.IsNewer && (intent.IsDead || IsOld(intent.StoredAt))));
        _deletions.AddRange(atWork.Deletions.Where(deletion => IsInScope(deletion.DataVolumeId) && (deletion.IsDead || IsOld(deletion.StoredAt))));

        bool IsInScope(string volumeId) => options.VolumeId is null || volumeId == options.VolumeId;

        // One from the future was stored before the store's clock was set back: its age is not known, and who breaks intents says that it is old.
        bool IsOld(DateTimeOffset storedAt) => options.BreakIntents && (now - storedAt >= options.IntentAge || BackupOrder.IsFuture(storedAt, now));
    }

    public bool IsBroken(Intent intent) => _broken.Exists(broken => broken.Backup.Id == intent.Backup.Id && broken.Backup.VolumeId == intent.Backup.VolumeId);

    public bool IsBuried(Backup backup) => _broken.Exists(broken => broken.Backup.Id == backup.Id && broken.Backup.VolumeId == backup.VolumeId);

    /// <summary>Takes the places of the records of all broken backups, and makes records that a broken repack might still replace others than those that it has seen.</summary>
    /// <param name="backups">All records.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task BuryAsync(IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        foreach (Intent intent in _broken)
        {
            Backup stone = CreateTombstone(intent, InterruptedText, time);
            try
            {
                await records.AddTombstoneAsync(stone, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
            {
                // The backup was committed, and only its intent is left; or somebody else buries it.
            }

            foreach (Backup repacked in backups.Where(intent.MayReplace))
                await records.RenewRecordAsync(repacked, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Creates the record that takes the place of a backup whose writer is considered stale. An import stored nothing: what it was to name is not its own, and its tombstone does not
    /// say that it may go.
    /// </summary>
    public static Backup CreateTombstone(Intent intent, string reason, TimeProvider time) => intent.Backup with
    {
        Status = BackupStatus.Deleting,
        ManifestKey = intent.IsImport ? null : intent.Backup.ManifestKey,
        StateReason = BackupStateReason.Expired,
        FailReason = reason,
        UpdatedAt = time.GetUtcNow(),
    };

    /// <summary>Another prune may have removed what this one is about to break, and somebody may have begun anew under that id, which only imports do.</summary>
    /// <exception cref="BackupStateException">Somebody has.</exception>
    public async Task ThrowIfBegunAgainAsync(CancellationToken cancellationToken)
    {
        if (_broken.Count == 0)
            return;
        IntentListing now = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        foreach (Intent intent in now.Intents)
        {
            if (_broken.Find(broken => broken.Backup.Id == intent.Backup.Id && broken.Backup.VolumeId == intent.Backup.VolumeId) is { } before && (intent.StoredAt, intent.Writer) != (before.StoredAt, before.Writer))
                throw new BackupStateException($"{intent} has begun anew while this prune looked at what others need; prune again.");
        }
    }

    /// <summary>Those of the broken backups that were not committed, and that nobody took over.</summary>
    public IEnumerable<Backup> SelectBuried(IReadOnlyList<Backup> backups, Intent[] working)
    {
        // A prune that only looks has buried nobody, so it takes the dead for the buried.
        IEnumerable<Backup> dead = options.DryRun
            ? _broken.Select(intent => CreateTombstone(intent, InterruptedText, time)).Where(dead => !backups.Any(backup => backup.Id == dead.Id && backup.VolumeId == dead.VolumeId))
            : [];
        return backups.Where(backup => IsBuried(backup) && backup.Status == BackupStatus.Deleting)
            .Concat(dead)
            .Where(backup => !working.Any(intent => intent.Resumes.Contains(backup.Id)));
    }

    /// <summary>Returns the ids under which a stale writer stored data, with the volume under whose prefix that lies.</summary>
    public IEnumerable<(string VolumeId, Guid Id)> GetDataIds(Backup buried) => _broken
        .Where(broken => !broken.IsImport && broken.Backup.Id == buried.Id && broken.Backup.VolumeId == buried.VolumeId)
        .SelectMany(broken => broken.DataIds.Select(id => (IntentStore.DataOf(broken.Backup).VolumeId, id)));

    /// <summary>Gets a value that indicates whether a stale writer stored a manifest that no record names.</summary>
    public bool IsOfStaleWriter(UnnamedManifest manifest) => _broken.Exists(
        broken => !broken.IsImport && IntentStore.DataOf(broken.Backup).VolumeId == manifest.VolumeId && broken.DataIds.Contains(manifest.Id));

    public IReadOnlyList<PruneIntent> Describe() => [.. _broken.Select(Describe)];

    public static PruneIntent Describe(Intent intent) =>
        new(intent.Backup.Id, intent.Backup.VolumeId, intent.Writer?.Host, intent.Writer?.ProcessId, intent.StoredAt);
}
