using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Chunking;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Limits;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;
using BackupEngine.Pipelines;
using BackupEngine.Volumes;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    /// <summary>The volumes whose weak hash was logged. Once for each is enough in a process that backs them up every hour.</summary>
    private readonly ConcurrentDictionary<string, bool> _warnedVolumes = new();

    /// <summary>How long a failed backup tries to remove what it stored.</summary>
    private static readonly TimeSpan _cleanUpTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Backs a volume up. It is committed as a whole or, on failure and cancellation, not at all.</summary>
    /// <param name="volume">The volume; its content must not change meanwhile. Not disposed.</param>
    /// <param name="options">What to back up, and how.</param>
    /// <param name="progress">Told how far it is, from many threads.</param>
    /// <param name="cancellationToken">Gives up, and removes what was stored.</param>
    /// <returns>The backup, available.</returns>
    /// <exception cref="ArgumentException">An option is out of its bounds.</exception>
    /// <exception cref="BackupNotFoundException">The named parent, or the backup to be resumed, does not exist.</exception>
    /// <exception cref="BackupStateException">There is no parent to use, it is not available or of another volume, the chain has another chunk size or hash, or the id is taken.</exception>
    /// <exception cref="VolumeException">The volume could not be read, broke its contract, or changed or may have changed while it was read (see <see cref="BackupOptions.AllowInconsistent"/>).</exception>
    /// <exception cref="CorruptionException">The manifest of the named parent, or of every backup that could be the parent, is damaged.</exception>
    /// <exception cref="RepositoryException">The parent's manifest was written by a later version.</exception>
    /// <exception cref="UnsupportedObjectStoreException">The store does not honour conditional puts, and single-writer mode was not chosen.</exception>
    /// <exception cref="ObjectStoreException">The store failed.</exception>
    public Task<Backup> BackupAsync(
        IVolume volume, BackupOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default) =>
        RunAsync("backup", operation => RunBackupAsync(operation, volume, options, progress, cancellationToken));

    private async Task<Backup> RunBackupAsync(
        Operation operation, IVolume volume, BackupOptions options, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(volume);
        OptionsGuard.Check(options);
        CheckedVolume source = CheckedVolume.Of(volume);
        volume = options.ReadHoles ? new UnsparseVolume(source) : source;
        operation.Note("backup_engine.volume.id", options.VolumeId);
        long began = Stopwatch.GetTimestamp();
        IReadOnlyList<Backup> others = await _records.ListRecordsAsync(options.VolumeId, cancellationToken).ConfigureAwait(false);
        Backup? parentRecord = await FindParentAsync(options, others, cancellationToken).ConfigureAwait(false);
        var gate = new OperationGate(_limits, options.Pause);
        ResourceRequest request = PipelineMemory.ForBackup(options, volume.SizeBytes, options.ChunkSize ?? parentRecord?.ChunkSize ?? ChunkSizes.Default, parentRecord);
        using ResourceShare? share = await TakeShareAsync(operation, gate, request, cancellationToken).ConfigureAwait(false);
        (parentRecord, Manifest? parent) = await ReadParentAsync(options, others, parentRecord, cancellationToken).ConfigureAwait(false);
        Backup draft = CreateDraft(volume, options, parentRecord, parent);
        if (await _records.FindRecordAsync(draft.Id, cancellationToken).ConfigureAwait(false) is not null)
            throw new BackupStateException($"Backup {draft.Id} exists already in {Name}.");

        IReadOnlyList<Intent> cutOff = await FindCutOffAsync(options, draft, cancellationToken).ConfigureAwait(false);
        operation.Note("backup_engine.backup.id", draft.Id);
        operation.Note("backup_engine.parent.id", draft.ParentId);
        var meter = new ProgressMeter(progress, volume.SizeBytes, isBackup: true);
        VolumeWatch watch = await VolumeWatch.BeginAsync(source, options.AllowInconsistent, cancellationToken).ConfigureAwait(false);
        IObjectStore store = gate.Guard(_store);
        using LocalWriters.Registration writing = _intents.Writers.Begin(draft.Id);
        await RequireFormatAsync(ManifestEncoder.GetVersion(draft.Hash), cancellationToken).ConfigureAwait(false);
        if (draft is { ParentId: not null, Hash: ChunkHash.XxHash128 } && options.Hash is null && _warnedVolumes.TryAdd(draft.VolumeId, true))
            _logger.WeakHash(draft.VolumeId);
        await using IntentRefresher refresher = CreateRefresher($"Backup {draft.Id}", cancellationToken);
        CancellationToken callersToken = cancellationToken;
        cancellationToken = refresher.Token;
        await PutIntentAsync(draft, [.. cutOff.Select(intent => intent.Backup.Id)], isChosen: options.BackupId is not null, cancellationToken, refresher).ConfigureAwait(false);
        await RecheckIdAsync(draft, isChosen: options.BackupId is not null, cancellationToken).ConfigureAwait(false);
        BackupPipeline? pipeline = null;
        IReadOnlyList<Intent> takenOver = [];
        bool isCommitUnclear = false;
        try
        {
            _logger.BackupBegan(draft.Id, draft.VolumeId, draft.SizeBytes, draft.ParentId);
            parent = await RecheckParentAsync(draft, parentRecord, parent, cancellationToken).ConfigureAwait(false);
            if (parentRecord is { DamagedPacks: { } damaged })
            {
                parent = await DamagedParent.ReadAsync(_store, parent!, cancellationToken).ConfigureAwait(false);
                _logger.BuildsOnDamaged(draft.Id, parentRecord.Id, damaged.Count);
            }

            takenOver = await TakeOverAsync(draft, cutOff, cancellationToken).ConfigureAwait(false);
            BackupPlan plan = CreatePlan(volume, options, draft, parent, parentRecord?.DamagedPacks, takenOver);
            if (share is not null)
                plan = plan with { Workers = share.Workers, MaxMemoryBytes = PipelineMemory.GetPackBytes(request, share), IsShare = true };
            pipeline = new BackupPipeline(store, gate.Guard(volume), plan, meter);
            Manifest manifest = await pipeline.RunAsync(cancellationToken).ConfigureAwait(false);
            await watch.EndAsync(cancellationToken).ConfigureAwait(false);
            byte[] bytes = ManifestReadBack.Encode(manifest);
            if (manifest.Geometry != new VolumeGeometry(draft.SizeBytes, draft.ChunkSize) || manifest.Hasher.Algorithm != draft.Hash)
                throw new CorruptionException(manifest.Key, null, "the new manifest does not match its record, and was not stored");
            await store.PutAsync(manifest.Key, bytes, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
            meter.AddStored(bytes.Length);
            DateTimeOffset? storedAt = await GetStoredTimeAsync(draft, bytes.Length, cancellationToken).ConfigureAwait(false);
            Backup backup = draft with
            {
                Status = BackupStatus.Available,
                ObjectCount = manifest.Packs.Packs.Count(pack => pack.Key.BackupOrdinal == manifest.Ordinal) + 1,
                UpdatedAt = _time.GetUtcNow(),
                IsConsistent = watch.Reason is null ? null : false,
                StoredAt = storedAt,
                OrderedAt = BackupOrder.GetNext(others, storedAt ?? draft.CreatedAt),
                ManifestSha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
                BytesRead = meter.BytesRead,
                BytesChanged = meter.BytesChanged,
                BytesStored = meter.BytesStored,
                DurationSeconds = Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 3),
            };
            await refresher.StopAsync(cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            isCommitUnclear = true;
            await CommitAsync(backup, wroteData: true).ConfigureAwait(false);
            await BuryTakenOverAsync(takenOver, manifest).ConfigureAwait(false);
            await RemoveIntentAsync(backup).ConfigureAwait(false);
            meter.Finish(_logger);
            if (watch.Reason is { } reason)
                _logger.Inconsistent(backup.Id, backup.VolumeId, reason);
            _logger.BackupCommitted(backup.Id, backup.BytesRead, backup.BytesChanged, backup.BytesStored, backup.DurationSeconds);
            WarnOfClocks(backup);
            operation.Note("backup_engine.volume.size", backup.SizeBytes);
            operation.Note("backup_engine.volume.read", backup.BytesRead);
            operation.Note("backup_engine.volume.changed", backup.BytesChanged);
            operation.Note("backup_engine.volume.stored", backup.BytesStored);
            return backup with { HasDependentBackups = false, Statistics = operation.Statistics };
        }
        catch (Exception e)
        {
            // What a lost intent cancelled was not cancelled by the caller.
            Exception cause = e is OperationCanceledException && !callersToken.IsCancellationRequested && refresher.Failure is { } failure ? failure : e;
            _logger.BackupFailed(cause, draft.Id, draft.VolumeId);

            // What is stored under this id belongs to another process as much as to this one, so neither may remove it.
            if (!isCommitUnclear && e is ObjectStoreException { Error: ObjectStoreError.AlreadyExists } taken)
                throw CreateCloneException(draft, taken);

            // When nobody knows whether the record arrived, or may still arrive, all must stay, and whoever declared the backup dead removes it: the next prune finds out.
            // When the store broke off, all stays to be resumed.
            // When the intent is another's now, so may be what is stored.
            if (!isCommitUnclear && !refresher.IsLost && !(options.Resume && e is BackupEngineException { IsTransient: true }))
                await CleanUpAsync(draft, pipeline?.PackKeys ?? [], takenOver).ConfigureAwait(false);
            if (cause != e)
                throw cause;
            throw;
        }
    }

    private static BackupStateException CreateCloneException(Backup draft, ObjectStoreException taken) => new(
        $"Backup {draft.Id} is being written by another process, too: {taken.Key} exists already. This happens when a virtual machine is cloned or rolled back while it writes a backup; back up again.");

    /// <summary>Asks the store when it got the manifest, which says also that it is there.</summary>
    /// <returns>Null when the store does not tell times.</returns>
    /// <exception cref="BackupStateException">A prune considered the backup stale and has removed the manifest.</exception>
    /// <exception cref="CorruptionException">The manifest is missing or has another length.</exception>
    private async Task<DateTimeOffset?> GetStoredTimeAsync(Backup draft, long length, CancellationToken cancellationToken)
    {
        ObjectInfo? stored = await _store.HeadAsync(draft.ManifestKey!, cancellationToken).ConfigureAwait(false);
        if (stored?.SizeBytes == length)
            return BackupOrder.GetUsable(stored.Value.LastModified);

        // A prune that removes the manifest has put a tombstone record before, and removes it after the intent.
        if (stored is null && (await _records.FindRecordAsync(draft.VolumeId, draft.Id, cancellationToken).ConfigureAwait(false) is not null
            || !await _intents.ExistsAsync(draft, cancellationToken).ConfigureAwait(false)))
        {
            throw new BackupStateException($"Backup {draft.Id} was declared dead by a prune, which has removed its manifest; back up again.");
        }

        throw new CorruptionException(
            draft.ManifestKey!, null, $"the manifest has {length} bytes and was stored, but the store has {stored?.SizeBytes.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no"} bytes of it");
    }

    private void WarnOfClocks(Backup backup)
    {
        if (backup.StoredAt is not { } stored)
            return;
        if (backup.HasFutureTimestamp)
            _logger.FutureTimestamp(backup.Id, backup.CreatedAt, backup.DataTimestamp, stored);
        if (BackupOrder.IsFuture(backup.OrderedAt ?? stored, stored))
            _logger.StoreClockWentBack(Name, stored, backup.VolumeId, backup.OrderedAt ?? stored);
    }

    /// <returns>The parent; null for a full.</returns>
    private async Task<Backup?> FindParentAsync(BackupOptions options, IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        if (options.ParentId is { } parentId)
        {
            Backup parent = backups.FirstOrDefault(backup => backup.Id == parentId && backup is { Status: BackupStatus.Available, IsUnreadable: false })
                ?? await GetAvailableAsync(parentId, cancellationToken).ConfigureAwait(false);
            return parent.VolumeId == options.VolumeId
                ? parent
                : throw new BackupStateException($"Backup {parentId} is of volume {parent.VolumeId}; it cannot be the parent of a backup of volume {options.VolumeId}.");
        }

        if (!options.Incremental)
            return null;
        return BackupOrder.FindLatest(backups)
            ?? await FindDamagedParentAsync(backups, cancellationToken).ConfigureAwait(false)
            ?? throw new BackupStateException($"There is no available backup of volume {options.VolumeId} in {Name} to do an incremental backup; do a full one first.");
    }

    /// <summary>Reads the parent's manifest. One that was chosen here and cannot be read is passed over: the volume's intact backups stay usable.</summary>
    private async Task<(Backup? Record, Manifest? Manifest)> ReadParentAsync(
        BackupOptions options, IReadOnlyList<Backup> others, Backup? chosen, CancellationToken cancellationToken)
    {
        HashSet<Guid> passedOver = [];
        for (Backup? record = chosen; record is not null;)
        {
            try
            {
                return (record, await _store.ReadManifestAsync(_records, record, cancellationToken).ConfigureAwait(false));
            }
            catch (CorruptionException e) when (options.ParentId is null)
            {
                _logger.ParentUnreadable(e, record.Id, record.VolumeId);
                passedOver.Add(record.Id);

                // The share of memory was taken for chunks of this size.
                record = Array.FindLast(
                    BackupOrder.Sort(others),
                    backup => backup is { Status: BackupStatus.Available, IsUnreadable: false } && !passedOver.Contains(backup.Id) && backup.ChunkSize == chosen!.ChunkSize);
                if (record is null)
                    throw new CorruptionException(e.Key, e.Offset, $"{e.Problem}; no other backup of volume {options.VolumeId} can be the parent: make a full backup", e.InnerException);
            }
        }

        return (null, null);
    }

    /// <summary>When no backup is whole any more, the latest that was found damaged and has its manifest is better than none: most of its data need not be stored again.</summary>
    private async Task<Backup?> FindDamagedParentAsync(IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        foreach (Backup backup in BackupOrder.Sort(backups).Reverse().Where(backup => backup is { Status: BackupStatus.Error, DamagedPacks: not null, IsUnreadable: false }))
        {
            try
            {
                await _store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
                return backup;
            }
            catch (CorruptionException)
            {
                // Of no use to anybody.
            }
        }

        return null;
    }

    private Backup CreateDraft(IVolume volume, BackupOptions options, Backup? parentRecord, Manifest? parent)
    {
        int chunkSize = options.ChunkSize ?? parent?.Geometry.ChunkSize ?? ChunkSizes.Default;
        ChunkHash hash = options.Hash ?? parent?.Hasher.Algorithm ?? ChunkHash.Blake3;
        if (parent is not null && chunkSize != parent.Geometry.ChunkSize)
            throw new BackupStateException($"The chain has chunks of {parent.Geometry.ChunkSize} bytes, so an incremental cannot have chunks of {chunkSize}; do a full backup to change it.");
        if (parent is not null && hash != parent.Hasher.Algorithm)
            throw new BackupStateException("The chain has another hash, and an incremental cannot change it; do a full backup.");
        if (!new VolumeGeometry(volume.SizeBytes, chunkSize).IsSupported)
            throw new BackupStateException($"{volume.Name} has {volume.SizeBytes} bytes, too many for chunks of {chunkSize}; take larger chunks.");

        Guid id = options.BackupId ?? Guid.NewGuid();
        DateTimeOffset now = _time.GetUtcNow();
        return new Backup
        {
            Id = id,
            VolumeId = options.VolumeId,
            Name = options.Name,
            Description = options.Description,
            Status = BackupStatus.Creating,
            SizeBytes = volume.SizeBytes,
            Container = Name,
            CreatedAt = now,
            DataTimestamp = options.DataTimestamp ?? now,
            SnapshotId = options.SnapshotId,
            ParentId = parentRecord?.Id,
            AvailabilityZone = options.AvailabilityZone,
            Metadata = options.Metadata ?? new Dictionary<string, string>(),
            ChunkSize = chunkSize,
            Hash = hash,
            Compression = options.Compression,
            ManifestKey = StoreKeys.Manifest(parent?.VolumeId ?? options.VolumeId, id),
            EngineVersion = EngineVersion.Current,
        };
    }

    private static BackupPlan CreatePlan(IVolume volume, BackupOptions options, Backup draft, Manifest? parent, IReadOnlyList<string>? damagedPacks, IReadOnlyList<Intent> takenOver)
    {
        var geometry = new VolumeGeometry(volume.SizeBytes, draft.ChunkSize);
        return new BackupPlan
        {
            BackupId = draft.Id,
            DataVolumeId = parent?.VolumeId ?? draft.VolumeId,
            Geometry = geometry,
            Hasher = parent?.Hasher ?? new ChunkHasher(draft.Hash, ChainKey.CreateRandom(draft.Hash)),
            Compression = options.Compression,
            Parent = parent,
            DamagedPacks = parent is null || damagedPacks is null ? new HashSet<PackId>() : DamagedParent.FindPacks(parent, damagedPacks),
            ChangedExtents = damagedPacks is null && options.ChangedExtents is { } changed ? ChangedChunks.Join(changed, geometry, parent!.Geometry) : null,
            Resumed = [.. takenOver.Select(intent => intent.Backup.Id)],
            Workers = options.Workers ?? Environment.ProcessorCount,
            MaxMemoryBytes = options.MaxMemoryBytes,
        };
    }

    private async Task PutIntentAsync(Backup draft, IReadOnlyList<Guid> resumes, bool isChosen, CancellationToken cancellationToken, IntentRefresher? refresher = null)
    {
        var intent = new Intent { Backup = draft, Writer = _intents.Writers.Identity, Resumes = resumes };
        CatalogJson.CheckLength(intent);
        try
        {
            await _intents.PutAsync(intent, cancellationToken, refresher).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            throw new BackupStateException($"Backup {draft.Id} is being written already.");
        }
        catch (OperationCanceledException) when (!isChosen)
        {
            // It may have arrived. An id that was chosen could be another's.
            await RemoveIntentAsync(draft).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Another writer of this id may have committed, and removed its intent, after the id was found free: what is stored under it is not this one's to touch. Nor is
    /// what a backup of this id has left that is gone itself: others may refer to it.
    /// </summary>
    private async Task RecheckIdAsync(Backup draft, bool isChosen, CancellationToken cancellationToken)
    {
        string? hindrance = "";
        try
        {
            hindrance = await _records.FindRecordAsync(draft.VolumeId, draft.Id, cancellationToken).ConfigureAwait(false) is not null ? $"Backup {draft.Id} exists already in {Name}."
                : isChosen && await HasDataAsync(draft, cancellationToken).ConfigureAwait(false) ? $"{Name} holds data of an earlier backup {draft.Id}, which others may need; give this one another id."
                : null;
        }
        finally
        {
            if (hindrance is not null)
                await RemoveIntentAsync(draft).ConfigureAwait(false);
        }

        if (hindrance is not null)
            throw new BackupStateException(hindrance);
    }

    private async Task<bool> HasDataAsync(Backup draft, CancellationToken cancellationToken)
    {
        (string dataVolumeId, Guid dataId) = IntentStore.DataOf(draft);
        if (await _store.HeadAsync(draft.ManifestKey!, cancellationToken).ConfigureAwait(false) is not null)
            return true;
        await foreach (ObjectInfo _ in _store.ListAsync(StoreKeys.PacksOf(dataVolumeId, dataId), cancellationToken).ConfigureAwait(false))
            return true;
        return false;
    }

    /// <summary>The second half of the writer's promise (docs/architecture.md "Who may do what at once"): the intent is there, and only now the parent is looked at again.</summary>
    /// <returns>The parent's manifest; another when it was repacked since it was read.</returns>
    private async Task<Manifest?> RecheckParentAsync(Backup draft, Backup? parentRecord, Manifest? manifest, CancellationToken cancellationToken)
    {
        if (parentRecord is null)
            return null;
        for (Backup known = parentRecord; ;)
        {
            IntentListing atWork = await _intents.ListAsync(IntentStore.DataOf(known).VolumeId, StoreKeys.Intent(draft.VolumeId, draft.Id), cancellationToken).ConfigureAwait(false);
            if (atWork.FindDeletion(known) is { } deletion)
            {
                throw new BackupStateException(
                    $"Backup {known.Id} is being deleted or repacked{deletion.Describe()}, so no incremental of it can be made now; try again, and if that process is dead, prune first.");
            }

            // A deleter that is active after all finds its mark missing before it removes anything; the record is read only after that.
            await _intents.DeleteDeletionsAsync(atWork.FindDeadMarks(known), cancellationToken).ConfigureAwait(false);

            // What a repack that has died, or stands still, may have under way for the parent would take away what this backup is about to refer to.
            if (atWork.Intents.FirstOrDefault(intent => intent.MayReplace(known)) is { } repack && await FindLackingAsync(cancellationToken).ConfigureAwait(false) is { } lacking)
                throw UnsupportedObjectStoreException.ForOperation($"An incremental backup beside {repack}", lacking);
            Backup? now = atWork.Intents.Any(intent => intent.MayReplace(known))
                ? await _records.RenewRecordAsync(known, _time.GetUtcNow(), cancellationToken).ConfigureAwait(false)
                : await _records.FindRecordAsync(known.VolumeId, known.Id, cancellationToken).ConfigureAwait(false);
            if (now is null || now.Status != parentRecord.Status)
                throw new BackupStateException($"Backup {known.Id} was deleted, or found damaged, while backup {draft.Id}, an incremental of it, began; try again.");
            if (now.ManifestKey == known.ManifestKey)
                return known.ManifestKey == manifest?.Key ? manifest : await _store.ReadManifestAsync(now, cancellationToken).ConfigureAwait(false);

            // Repacked: marks that concern it are elsewhere now.
            known = now;
        }
    }
}
