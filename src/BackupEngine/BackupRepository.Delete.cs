using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>Deletes a backup and all data that no other backup refers to. A delete that was cut off is finished by deleting again.</summary>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupHasDependentsException">Incrementals descend from it, or one is being written.</exception>
    /// <exception cref="ObjectStoreException">The store failed; the backup may be left as <see cref="BackupStatus.Deleting"/>.</exception>
    public async Task DeleteAsync(Guid backupId, CancellationToken cancellationToken = default)
    {
        Backup backup = await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false);
        await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false);

        // Marked first, and only then everything is looked at again: a writer does it the other way round, so at least one sees the other.
        await _records.PutRecordAsync(backup with { Status = BackupStatus.Deleting, UpdatedAt = _time.GetUtcNow() }, PutCondition.None, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> others;
        try
        {
            await ThrowIfBeingUsedAsync(backup, cancellationToken).ConfigureAwait(false);
            others = await ThrowIfDependentsAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupHasDependentsException) when (backup.Status != BackupStatus.Deleting)
        {
            await _records.PutRecordAsync(backup, PutCondition.None, cancellationToken).ConfigureAwait(false);
            throw;
        }

        List<string> keys = await FindUnreferencedAsync(backup, others, cancellationToken).ConfigureAwait(false);
        await _store.DeleteAsync(keys, cancellationToken).ConfigureAwait(false);
        await _records.DeleteRecordAsync(backup, cancellationToken).ConfigureAwait(false);
        _logger.Deleted(backupId, keys.Count);
    }

    private async Task<IReadOnlyList<Backup>> ThrowIfDependentsAsync(Backup backup, CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        Guid[] dependents = [.. records.Where(other => other.ParentId == backup.Id).Select(other => other.Id)];
        return dependents.Length == 0
            ? [.. records.Where(other => other.Id != backup.Id)]
            : throw new BackupHasDependentsException(
                backup.Id, dependents, $"Backup {backup.Id} cannot be deleted: incremental backups exist for it ({string.Join(", ", dependents.Take(3))}).");
    }

    private async Task ThrowIfBeingUsedAsync(Backup backup, CancellationToken cancellationToken)
    {
        foreach (Backup intent in await _records.ListIntentsAsync(null, cancellationToken).ConfigureAwait(false))
        {
            if (intent.ParentId == backup.Id || (intent.Id != backup.Id && intent.ManifestKey is not null && intent.ManifestKey == backup.ManifestKey))
            {
                throw new BackupHasDependentsException(
                    backup.Id, [intent.Id], $"Backup {backup.Id} cannot be deleted: backup {intent.Id} is being made from it (since {intent.CreatedAt:u}).");
            }
        }
    }

    /// <summary>The keys of all that goes with a backup.</summary>
    private async Task<List<string>> FindUnreferencedAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        // Imported under another id, the same data is a second backup: it stays whole.
        if (backup.ManifestKey is not { } manifestKey || others.Any(other => other.ManifestKey == manifestKey))
            return [];

        Manifest manifest;
        try
        {
            manifest = await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            // Without its manifest nobody knows which packs of others it kept alive; its own can only be referred to by those whose parents are gone.
            _logger.CleanUpFailed(e, backup.Id);
            return await FindOwnPacksAsync(backup, others, cancellationToken).ConfigureAwait(false);
        }

        HashSet<string> dataOfOthers = [.. others.Select(other => other.ManifestKey!).Where(key => key is not null)];
        HashSet<string> kept = await FindPacksOfOrphansAsync(others, cancellationToken).ConfigureAwait(false);
        List<string> keys = [.. manifest.Packs.Packs.Select(pack => pack.Key).Where(IsOwnOrAbandoned).Select(manifest.GetPackKey).Where(key => !kept.Contains(key))];
        keys.Add(manifestKey);
        return keys;

        bool IsOwnOrAbandoned(PackId pack) =>
            !dataOfOthers.Contains(StoreKeys.Manifest(manifest.VolumeId, manifest.Backups[(int)pack.BackupOrdinal]));
    }

    private async Task<List<string>> FindOwnPacksAsync(Backup backup, IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        List<string> keys = [backup.ManifestKey!];
        if (!StoreKeys.TryParseManifest(backup.ManifestKey!, out string volumeId, out Guid dataId))
            return keys;
        HashSet<string> kept = await FindPacksOfOrphansAsync(others, cancellationToken).ConfigureAwait(false);
        await foreach (ObjectInfo pack in _store.ListAsync(StoreKeys.PacksOf(volumeId, dataId), cancellationToken).ConfigureAwait(false))
        {
            if (!kept.Contains(pack.Key))
                keys.Add(pack.Key);
        }

        return keys;
    }

    /// <summary>
    /// The packs that backups without a living parent refer to. Nobody else can refer to packs of a backup that has no dependents: whoever does
    /// descends from it, and then either names it as parent, or has lost a parent on the way, or descends from one who has and refers to no more than that one.
    /// </summary>
    private async Task<HashSet<string>> FindPacksOfOrphansAsync(IReadOnlyList<Backup> others, CancellationToken cancellationToken)
    {
        HashSet<Guid> ids = [.. others.Select(other => other.Id)];
        var keys = new HashSet<string>();
        foreach (Backup orphan in others.Where(other => other is { ParentId: { } parent, ManifestKey: not null } && !ids.Contains(parent)))
        {
            Manifest manifest = await _store.ReadManifestAsync(orphan, cancellationToken).ConfigureAwait(false);
            keys.UnionWith(manifest.Packs.Packs.Select(pack => manifest.GetPackKey(pack.Key)));
        }

        return keys;
    }
}
