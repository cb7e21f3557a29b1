using System.Diagnostics;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Pipelines;
using BackupEngine.Volumes;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>Puts a backup back. Every chunk is checked against its hash before it is written; bytes of the target past the volume's size are left alone.</summary>
    /// <param name="backupId">The backup; of any length of chain, one pass restores it.</param>
    /// <param name="target">At least as large as the volume, or as the end of the range. Not disposed.</param>
    /// <param name="options">What to restore, and how; null for the whole.</param>
    /// <param name="progress">Told how far it is, from many threads.</param>
    /// <param name="cancellationToken">Gives up; the target is then part old, part new.</param>
    /// <returns>What was read, written and made zero.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupStateException">The backup is not available, or is deleted meanwhile.</exception>
    /// <exception cref="CorruptionException">Something that the backup needs is missing or damaged; the message names object, place and bytes of the volume.</exception>
    /// <exception cref="RepositoryException">Its manifest was written by a later version.</exception>
    /// <exception cref="VolumeException">The target is too small, or could not be written.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public Task<RestoreResult> RestoreAsync(
        Guid backupId, IWritableVolume target, RestoreOptions? options = null, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        RunAsync("restore", operation => RunRestoreAsync(operation, backupId, target, options ?? new RestoreOptions(), progress, cancellationToken));

    private async Task<RestoreResult> RunRestoreAsync(
        Operation operation, Guid backupId, IWritableVolume target, RestoreOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        operation.Note("backup_engine.backup.id", backupId);
        long began = Stopwatch.GetTimestamp();
        Backup backup = await GetAvailableAsync(backupId, cancellationToken).ConfigureAwait(false);
        OptionsGuard.Check(options, backup.SizeBytes);
        VolumeExtent range = options.Range ?? new VolumeExtent(0, backup.SizeBytes);
        if (target.SizeBytes < range.End)
            throw new VolumeException(target.Name, $"{target.Name} has {target.SizeBytes} bytes; to restore backup {backupId} it needs {range.End}.");

        operation.Note("backup_engine.volume.id", backup.VolumeId);
        operation.Note("backup_engine.volume.size", backup.SizeBytes);
        var gate = new OperationGate(_limits, options.Pause);
        ResourceRequest request = PipelineMemory.ForRestore(options, backup);
        using ResourceShare? share = await TakeShareAsync(operation, gate, request, cancellationToken).ConfigureAwait(false);
        if (share is not null)
            options = options with { Workers = share.Workers, MaxMemoryBytes = share.Workers * request.WorkerBytes };
        (ProgressMeter meter, RestoreCounters counters) = await RestoreAsync(backup, gate.Guard(target), gate.Guard(_store), range, options, progress, cancellationToken).ConfigureAwait(false);
        meter.Finish();
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _logger.Restored(backupId, target.Name, counters.BytesWritten, counters.BytesZeroed, seconds);
        operation.Note("backup_engine.object_store.received", counters.BytesFetched);
        operation.Note("backup_engine.volume.written", counters.BytesWritten);
        operation.Note("backup_engine.volume.zeroed", counters.BytesZeroed);
        return new RestoreResult
        {
            BackupId = backupId,
            BytesRestored = range.Length,
            BytesCompared = counters.BytesCompared,
            BytesFetched = counters.BytesFetched,
            BytesWritten = counters.BytesWritten,
            BytesZeroed = counters.BytesZeroed,
            DurationSeconds = Math.Round(seconds, 3),
            Statistics = operation.Statistics,
        };
    }

    private async Task<(ProgressMeter Meter, RestoreCounters Counters)> RestoreAsync(
        Backup backup, IWritableVolume target, IObjectStore store, VolumeExtent range, RestoreOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new ProgressMeter(progress, range.Length);
        var counters = new RestoreCounters(meter);
        try
        {
            Manifest manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            await new RestorePipeline(store, manifest, target, range, options, counters).RunAsync(cancellationToken).ConfigureAwait(false);
            return (meter, counters);
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            Backup? now = await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
            if (now is not { Status: BackupStatus.Available })
                throw new BackupStateException($"Backup {backup.Id} was deleted while it was being restored to {target.Name}.");
            if (now.ManifestKey == backup.ManifestKey)
                throw;

            // Repacked under the restore: what is written is right, and is written again.
            return await RestoreAsync(now, target, store, range, options, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a backup for reading anywhere in it, as if it were the volume.</summary>
    /// <returns>A seekable read-only stream; for one reader at a time.</returns>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupStateException">The backup is not available.</exception>
    /// <exception cref="CorruptionException">Its manifest is missing or damaged; reading throws it for chunks.</exception>
    /// <exception cref="RepositoryException">Its manifest was written by a later version.</exception>
    /// <exception cref="ObjectStoreException">The store failed; reading throws it, too.</exception>
    public async Task<Stream> OpenReadAsync(Guid backupId, CancellationToken cancellationToken = default)
    {
        Backup backup = await GetAvailableAsync(backupId, cancellationToken).ConfigureAwait(false);
        return new BackupStream(_dataStore, _records, backup, await _dataStore.ReadManifestAsync(_records, backup, cancellationToken).ConfigureAwait(false));
    }
}
