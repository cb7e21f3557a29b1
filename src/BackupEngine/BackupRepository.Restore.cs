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
        target = CheckedWritableVolume.Of(target);
        operation.Note("backup_engine.backup.id", backupId);
        long began = Stopwatch.GetTimestamp();
        Backup backup = await GetReadableAsync(backupId, options.Damaged, cancellationToken).ConfigureAwait(false);
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
        (ProgressMeter meter, RestoreCounters counters, IReadOnlyList<LostRange> lost) = await RestoreAsync(backup, gate.Guard(target), gate.Guard(_store), range, options, progress, cancellationToken).ConfigureAwait(false);
        meter.Finish(_logger);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _logger.Restored(backupId, target.Name, counters.BytesWritten, counters.BytesZeroed, seconds);
        operation.Note("backup_engine.object_store.received", counters.BytesFetched);
        operation.Note("backup_engine.volume.written", counters.BytesWritten);
        operation.Note("backup_engine.volume.zeroed", counters.BytesZeroed);
        return new RestoreResult
        {
            BackupId = backupId,
            BytesRestored = range.Length - lost.Sum(range => range.Length),
            LostRanges = lost,
            BytesCompared = counters.BytesCompared,
            BytesFetched = counters.BytesFetched,
            BytesWritten = counters.BytesWritten,
            BytesZeroed = counters.BytesZeroed,
            DurationSeconds = Math.Round(seconds, 3),
            Statistics = operation.Statistics,
        };
    }

    private async Task<(ProgressMeter Meter, RestoreCounters Counters, IReadOnlyList<LostRange> Lost)> RestoreAsync(
        Backup backup, IWritableVolume target, IObjectStore store, VolumeExtent range, RestoreOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var meter = new ProgressMeter(progress, range.Length);
        var counters = new RestoreCounters(meter);
        var lost = new LostRanges();
        try
        {
            Manifest manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            await new RestorePipeline(store, manifest, target, range, options, counters, lost).RunAsync(cancellationToken).ConfigureAwait(false);
            IReadOnlyList<LostRange> ranges = lost.ToList();
            return ranges.Count > 0 && await FindChangedAsync(backup, target, cancellationToken).ConfigureAwait(false) is { } other
                ? await RestoreAsync(other, target, store, range, options, progress, cancellationToken).ConfigureAwait(false)
                : (meter, counters, ranges);
        }
        catch (CorruptionException e) when (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
        {
            if (await FindChangedAsync(backup, target, cancellationToken).ConfigureAwait(false) is not { } now)
                throw;

            // Repacked under the restore: what is written is right, and is written again.
            return await RestoreAsync(now, target, store, range, options, progress, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Data that is missing may be that of a backup that was repacked since its record was read.</summary>
    /// <returns>The record as it is now; null when it names the same manifest.</returns>
    /// <exception cref="BackupStateException">The backup was deleted.</exception>
    private async Task<Backup?> FindChangedAsync(Backup backup, IWritableVolume target, CancellationToken cancellationToken)
    {
        Backup? now = await _records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
        if (now is not { Status: BackupStatus.Available or BackupStatus.Error } || (now.Status != backup.Status && now.Status != BackupStatus.Available))
            throw new BackupStateException($"Backup {backup.Id} was deleted while it was being restored to {target.Name}.");
        return now.ManifestKey == backup.ManifestKey ? null : now;
    }

    /// <summary>Opens a backup for reading anywhere in it, as if it were the volume; on request also one of which data is lost.</summary>
    /// <param name="backupId">The backup.</param>
    /// <param name="options">What to do about damaged data; null to fail at it.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A seekable read-only stream. Its <see cref="BackupStream.ReadAtAsync"/> serves many callers at once.</returns>
    /// <exception cref="ArgumentException">The options ask to skip damaged data.</exception>
    /// <exception cref="BackupNotFoundException">There is no such backup.</exception>
    /// <exception cref="BackupStateException">The backup is not available nor, where that suffices, in error with a manifest; or it is deleted meanwhile; reading throws it, too.</exception>
    /// <exception cref="CorruptionException">Its manifest is missing or damaged; reading throws it for chunks, unless they become zeros.</exception>
    /// <exception cref="RepositoryException">Its manifest was written by a later version.</exception>
    /// <exception cref="ObjectStoreException">The store failed; reading throws it, too.</exception>
    public async Task<BackupStream> OpenReadAsync(Guid backupId, ReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ReadOptions();
        OptionsGuard.Check(options);
        Backup backup = await GetReadableAsync(backupId, options.Damaged, cancellationToken).ConfigureAwait(false);
        Manifest manifest = await _dataStore.ReadManifestAsync(_records, backup, cancellationToken).ConfigureAwait(false);
        return new BackupStream(new OpenedBackup(_dataStore, _records, backup, manifest, options));
    }

    /// <summary>Opens a backup as a volume that can only be read, with its holes: for copying it, or for backing it up elsewhere.</summary>
    /// <inheritdoc cref="OpenReadAsync" path="/exception"/>
    /// <returns>The volume; all its members are safe to call from many threads at once.</returns>
    public async Task<IVolume> OpenVolumeAsync(Guid backupId, CancellationToken cancellationToken = default) =>
        new BackupVolume(await OpenReadAsync(backupId, null, cancellationToken).ConfigureAwait(false));
}
