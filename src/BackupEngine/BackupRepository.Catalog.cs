using BackupEngine.Catalog;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    private const string Latest = "latest";
    private const int MinPrefixLength = 4;

    /// <summary>
    /// Returns all backups, the one that was stored last first (<see cref="Backup.OrderedAt"/>); those being written right now are among them, as <see cref="BackupStatus.Creating"/>.
    /// </summary>
    /// <param name="volumeId">Only those of this volume. Null: of all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The backups, each with <see cref="Backup.HasDependentBackups"/>. A record that cannot be read stands as a backup in error.</returns>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public async Task<IReadOnlyList<Backup>> ListAsync(string? volumeId = null, CancellationToken cancellationToken = default)
    {
        // Intents first: a backup that is committed in between is then seen as a record, not missed.
        IntentListing listing = await _intents.ListAsync(volumeId, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(volumeId, cancellationToken).ConfigureAwait(false);
        HashSet<Guid> committed = [.. records.Select(record => record.Id)];
        HashSet<Guid?> parents = [.. records.Select(record => record.ParentId)];
        IEnumerable<Backup> creating = listing.Intents.Where(intent => !intent.IsRepack && !committed.Contains(intent.Backup.Id))
            .Select(intent => intent.Backup with { RecordModifiedAt = intent.StoredAt });
        return
        [
            .. BackupOrder.Sort(records.Concat(creating)).Reverse().Select(backup => backup with { HasDependentBackups = parents.Contains(backup.Id) }),
        ];
    }

    /// <summary>One backup.</summary>
    /// <exception cref="BackupNotFoundException">There is none with this id.</exception>
    /// <exception cref="CorruptionException">Its record is damaged.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public async Task<Backup> GetAsync(Guid backupId, CancellationToken cancellationToken = default)
    {
        Backup backup = await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> others = await _records.ListRecordsAsync(backup.VolumeId, cancellationToken).ConfigureAwait(false);
        return backup with
        {
            HasDependentBackups = others.Any(other => other.ParentId == backupId),
            RecordModifiedAt = others.FirstOrDefault(other => other.Id == backupId)?.RecordModifiedAt,
        };
    }

    /// <summary>The backup that a person means.</summary>
    /// <param name="reference">A full id, its first characters (4 at least), or <c>latest</c>: the available one that was stored last, whatever its timestamps say.</param>
    /// <param name="volumeId">Only among those of this volume. Null: of all, and <c>latest</c> only when the container holds one volume.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BackupNotFoundException">There is none.</exception>
    /// <exception cref="AmbiguousBackupException">Several fit.</exception>
    /// <exception cref="CorruptionException">Its record is damaged.</exception>
    /// <exception cref="ObjectStores.ObjectStoreException">The store failed.</exception>
    public async Task<Backup> FindAsync(string reference, string? volumeId = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(reference);
        if (reference == Latest)
            return await FindLatestAsync(volumeId, cancellationToken).ConfigureAwait(false);

        List<Guid> fitting = [];
        string prefix = reference.ToLowerInvariant();
        await foreach ((string volume, Guid id) in _records.ListIdsAsync(cancellationToken).ConfigureAwait(false))
        {
            if (id.ToString("D").StartsWith(prefix, StringComparison.Ordinal) && (volumeId is null || volume == volumeId))
                fitting.Add(id);
        }

        string where = volumeId is null ? Name : $"{Name} for volume {volumeId}";
        return fitting switch
        {
            [] => throw new BackupNotFoundException($"There is no backup {reference} in {where}."),
            _ when prefix.Length < MinPrefixLength => throw new AmbiguousBackupException($"'{reference}' is too short: give {MinPrefixLength} characters of the id at least."),
            [Guid one] => await GetAsync(one, cancellationToken).ConfigureAwait(false),
            _ => throw new AmbiguousBackupException($"'{reference}' fits {fitting.Count} backups ({string.Join(", ", fitting.Take(3))}...); give more characters."),
        };
    }

    private async Task<Backup> FindLatestAsync(string? volumeId, CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> backups = await ListAsync(volumeId, cancellationToken).ConfigureAwait(false);
        int volumes = backups.Select(backup => backup.VolumeId).Distinct().Count();
        if (volumes > 1)
            throw new AmbiguousBackupException($"{Name} holds backups of {volumes} volumes; say of which the latest is meant.");
        string where = volumeId is null ? Name : $"{Name} for volume {volumeId}";
        Backup latest = BackupOrder.FindLatest(backups, withNewer: true) ?? throw new BackupNotFoundException($"There is no available backup in {where}.");
        NewerRecord.ThrowIf(latest);
        return latest;
    }

    private async Task<Backup> GetRecordAsync(Guid backupId, CancellationToken cancellationToken) =>
        await _records.FindRecordAsync(backupId, cancellationToken).ConfigureAwait(false)
        ?? throw NoSuchBackup(backupId);

    private BackupNotFoundException NoSuchBackup(Guid backupId) => new($"There is no backup {backupId} in {Name}.");

    /// <exception cref="BackupStateException">The backup is not available.</exception>
    private async Task<Backup> GetAvailableAsync(Guid backupId, CancellationToken cancellationToken)
    {
        Backup backup = await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false);
        ThrowIfNotAvailable(backup);
        return backup;
    }

    /// <exception cref="BackupStateException">The backup is neither available nor, where that suffices, in error with a manifest.</exception>
    private async Task<Backup> GetReadableAsync(Guid backupId, DamagedData damaged, CancellationToken cancellationToken)
    {
        Backup backup = await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false);
        if (damaged == DamagedData.Fail || backup is not { Status: BackupStatus.Error, ManifestKey: not null, ManifestSha256: not null })
            ThrowIfNotAvailable(backup);
        return backup;
    }

    /// <exception cref="BackupStateException">The backup is not available.</exception>
    private static void ThrowIfNotAvailable(Backup backup)
    {
        if (backup.Status == BackupStatus.Available)
            return;
        string hint = backup is { Status: BackupStatus.Error, ManifestSha256: not null }
            ? " When the missing data is back, 'repair' makes the backup available again; what is intact can be restored with 'restore --damaged skip|zero'."
            : "";
        throw new BackupStateException($"Backup {backup.Id} is {backup.Status.ToString().ToLowerInvariant()}, not available{(backup.FailReason is { } reason ? $": {reason}." : ".")}{hint}");
    }
}
