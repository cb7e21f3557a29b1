using BackupEngine.Catalog;
using BackupEngine.ObjectStores;

namespace BackupEngine.Pruning;

/// <summary>
/// Ends the intents of writers that are known to be dead, or are said to be. In place of each backup a record is put first, as deleting: it takes the place that
/// a writer which lives after all would need to commit, so that one fails, and its data can go.
/// </summary>
internal sealed class IntentBreaker(IObjectStore store, RecordStore records, IntentStore intents, PruneOptions options, TimeProvider time)
{
    private readonly List<Intent> _broken = [];
    private readonly List<Deletion> _deletions = [];

    /// <summary>The objects of all broken intents and marks.</summary>
    public IReadOnlyList<string> Keys =>
        [.. _broken.Select(intent => StoreKeys.Intent(intent.Backup.VolumeId, intent.Backup.Id)), .. _deletions.Select(deletion => deletion.Key)];

    public async Task SelectAsync(IntentListing atWork, CancellationToken cancellationToken)
    {
        DateTimeOffset now = options is { BreakIntents: true, DryRun: false } && atWork.Intents.Count + atWork.Deletions.Count > 0
            ? await StoreClock.ReadAsync(store, intents, time, cancellationToken).ConfigureAwait(false)
            : time.GetUtcNow();
        _broken.AddRange(atWork.Intents.Where(intent => IsInScope(intent.Backup.VolumeId) && !intent.IsNewer && (intent.IsDead || IsOld(intent.StoredAt))));
        _deletions.AddRange(atWork.Deletions.Where(deletion => IsInScope(deletion.DataVolumeId) && (deletion.IsDead || IsOld(deletion.StoredAt))));

        bool IsInScope(string volumeId) => options.VolumeId is null || volumeId == options.VolumeId;
        bool IsOld(DateTimeOffset storedAt) => options.BreakIntents && now - storedAt >= options.IntentAge;
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
            Backup stone = CreateTombstone(intent);
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

    /// <summary>An import stored nothing: what it was to name is not its own, and its tombstone does not say that it may go.</summary>
    private Backup CreateTombstone(Intent intent) => intent.Backup with
    {
        Status = BackupStatus.Deleting, ManifestKey = intent.IsImport ? null : intent.Backup.ManifestKey, StateReason = BackupStateReason.Expired, FailReason = "the backup was interrupted",
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
            ? _broken.Select(CreateTombstone).Where(dead => !backups.Any(backup => backup.Id == dead.Id && backup.VolumeId == dead.VolumeId))
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
