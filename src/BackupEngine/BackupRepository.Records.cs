using System.Text.Json;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Pipelines;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>The record of a backup, to be kept elsewhere: with it and the container, <see cref="ImportRecordAsync"/> brings the backup back.</summary>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupStateException">The backup is neither available nor in error with a manifest.</exception>
    /// <exception cref="CorruptionException">Its record is damaged.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public async Task<ExportedRecord> ExportRecordAsync(Guid backupId, CancellationToken cancellationToken = default)
    {
        Backup backup = await GetRecordAsync(backupId, cancellationToken).ConfigureAwait(false);
        if (backup is not { Status: BackupStatus.Error, ManifestKey: not null, ManifestSha256: not null })
            ThrowIfNotAvailable(backup);
        return new ExportedRecord(ExportedRecord.ServiceName, Convert.ToBase64String(CatalogJson.Write(backup)));
    }

    /// <summary>
    /// Brings a backup back by its exported record. Its data is found through the manifest key in the record, so a record whose id was changed
    /// becomes a second backup of the same data.
    /// </summary>
    /// <returns>The backup, available; or in error, when it was exported in error: then some of its data may be missing.</returns>
    /// <exception cref="RecordFormatException">This is not a record of this engine, or the container does not hold the data that it names.</exception>
    /// <exception cref="BackupStateException">A backup with this id exists, or something of the volume is just being removed: try again.</exception>
    /// <exception cref="CorruptionException">The manifest that it names is damaged.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditional puts, and single-writer mode was not chosen.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public async Task<Backup> ImportRecordAsync(ExportedRecord record, CancellationToken cancellationToken = default)
    {
        Backup backup = Parse(record) with { UpdatedAt = _time.GetUtcNow(), HasDependentBackups = null };
        if (backup.Status != BackupStatus.Error)
            backup = backup with { Status = BackupStatus.Available, FailReason = null, StateReason = backup.IsRebuilt() ? BackupStateReason.Rebuilt : null };
        if (await _records.FindRecordAsync(backup.Id, cancellationToken).ConfigureAwait(false) is not null)
            throw new BackupStateException($"Backup {backup.Id} exists already in {Name}.");

        backup = await AddRecordOfDataAsync(backup, needsAllPacks: backup.Status != BackupStatus.Error, cancellationToken).ConfigureAwait(false);
        _logger.Imported(backup.Id, backup.ManifestKey!);
        return backup;
    }

    /// <summary>Commits the record of data that is there already, as an import and a repair do.</summary>
    /// <param name="backup">The record.</param>
    /// <param name="needsAllPacks">Whether to refuse it when packs are missing; not for a backup in error, of which that is known, and not for a repair, which marks it.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The record as it was stored: with its place in the order of the volume's backups.</returns>
    private async Task<Backup> AddRecordOfDataAsync(Backup backup, bool needsAllPacks, CancellationToken cancellationToken)
    {
        if (await _intents.ExistsAsync(backup, cancellationToken).ConfigureAwait(false))
            await _intents.RemoveDeadImportAsync(backup, cancellationToken).ConfigureAwait(false);

        await RequireFormatAsync(ManifestEncoder.GetVersion(backup.Hash), cancellationToken).ConfigureAwait(false);

        // An import holds on to data as a writer does to its parent: the intent first, and only then a look at what it names.
        using LocalWriters.Registration writing = _intents.Writers.Begin(backup.Id);
        await using IntentRefresher refresher = CreateRefresher($"The import of backup {backup.Id}", cancellationToken);
        await PutIntentAsync(backup with { Status = BackupStatus.Creating }, [], isChosen: true, cancellationToken, refresher).ConfigureAwait(false);
        try
        {
            await CheckDataAsync(backup, needsAllPacks, cancellationToken).ConfigureAwait(false);
            backup = await PlaceImportAsync(backup, cancellationToken).ConfigureAwait(false);
            await refresher.StopAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (BackupStateException) when (refresher.IsLost)
        {
            // The intent is another's now.
            throw;
        }
        catch
        {
            await RemoveIntentAsync(backup).ConfigureAwait(false);
            throw;
        }

        try
        {
            await CommitAsync(backup, wroteData: false).ConfigureAwait(false);
        }
        catch (ObjectStoreException)
        {
            // Nobody knows whether the record arrived, or may still arrive: the intent goes on holding the data.
            throw;
        }
        catch
        {
            await RemoveIntentAsync(backup).ConfigureAwait(false);
            throw;
        }

        await RemoveIntentAsync(backup).ConfigureAwait(false);
        return backup;
    }

    /// <summary>
    /// The record may come from another store, whose clock was ahead, or from an earlier version: no time that counts may be later than the store's clock, and the record's own
    /// time, which is now, must not count.
    /// </summary>
    private async Task<Backup> PlaceImportAsync(Backup backup, CancellationToken cancellationToken)
    {
        DateTimeOffset now = await _intents.FindStoredTimeAsync(backup, cancellationToken).ConfigureAwait(false) ?? _time.GetUtcNow();
        DateTimeOffset stored = backup.StoredAt ?? backup.CreatedAt;
        return backup with
        {
            StoredAt = BackupOrder.IsFuture(stored, now) ? now : stored,
            OrderedAt = backup.OrderedAt is { } place && BackupOrder.IsFuture(place, now) ? null : backup.OrderedAt,
        };
    }

    private static Backup Parse(ExportedRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.BackupService != ExportedRecord.ServiceName)
            throw new RecordFormatException($"The record was exported by '{record.BackupService}'; this engine reads records of '{ExportedRecord.ServiceName}'.");
        try
        {
            Backup backup = CatalogJson.ReadExported(Convert.FromBase64String(record.BackupUrl ?? ""))
                ?? throw new RecordFormatException("The record is empty.");
            if (backup.RecordVersion > RecordVersion.Current)
                throw new RecordFormatException($"The record of backup {backup.Id} was written by a newer engine (record version {backup.RecordVersion}; this engine reads version {RecordVersion.Current}). Use a newer engine.");
            if (!CatalogJson.IsPossible(backup))
                throw new RecordFormatException($"The record cannot be used: {CatalogJson.DescribeImpossible(backup)}.");
            return backup.Id == Guid.Empty || !StoreKeys.IsValidVolumeId(backup.VolumeId)
                || backup.ManifestKey is null || !StoreKeys.TryParseManifest(backup.ManifestKey, out _, out _)
                ? throw new RecordFormatException("The record lacks a valid id, volume_id or manifest.")
                : backup;
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            throw new RecordFormatException($"The record cannot be read: {e.Message}", e);
        }
    }

    private async Task CheckDataAsync(Backup backup, bool needsAllPacks, CancellationToken cancellationToken)
    {
        IReadOnlyList<Backup> records = await _records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        if (records.Any(other => other.ManifestKey == backup.ManifestKey && other.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting))
            throw new BackupStateException($"The data of backup {backup.Id} is just being deleted.");
        try
        {
            // Whoever deletes any backup of the chain may be about to delete packs that this one refers to; a mark names the manifest, and of one that was repacked only
            // its record knows that it belongs to the chain; and packs of those that are gone may be removed with any. Asked before it is looked whether they are there.
            Manifest manifest = await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            IntentListing atWork = await _intents.ListAsync(manifest.VolumeId, StoreKeys.Intent(backup.VolumeId, backup.Id), cancellationToken).ConfigureAwait(false);
            if (atWork.Deletions.FirstOrDefault(deletion => !deletion.IsDead) is { } deletion)
            {
                throw new BackupStateException(
                    $"The data of backup {backup.Id}, or of another of its volume, is just being deleted or repacked{deletion.Describe()}; try again, and if that process is dead, prune first.");
            }

            // A deleter that is active after all finds its mark missing; what it has done until then is looked for from the start.
            if (atWork.Deletions.Count > 0)
            {
                await _intents.DeleteDeletionsAsync([.. atWork.Deletions.Select(dead => dead.Key)], cancellationToken).ConfigureAwait(false);
                await CheckDataAsync(backup, needsAllPacks, cancellationToken).ConfigureAwait(false);
                return;
            }

            VerifyReport report = await new VerifyPipeline(_store, new VerifyOptions(), new ProgressMeter(null, 0)).RunAsync([backup], cancellationToken).ConfigureAwait(false);
            if (needsAllPacks && report.Findings is [VerifyFinding first, ..])
                throw new RecordFormatException($"{Name} does not hold all data of backup {backup.Id}: {first.Key}: {first.Problem}");
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            throw new RecordFormatException($"{Name} does not hold the data of backup {backup.Id}: {e.Message}", e);
        }
    }
}
