using BackupEngine.Catalog;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>
/// Takes out of what may be removed everything that a living backup refers to: by its pack table, and, before a pack of a backup of the same chain may go, by
/// its pages as well. The two must agree; where they do not, the pack stays. Memory: one manifest, or two, at a time.
/// </summary>
/// <param name="store">Where the manifests and pages are.</param>
/// <param name="records">Says whether a backup whose manifest is gone is still there.</param>
/// <param name="data">Takes out of this.</param>
/// <param name="kept">Takes reasons why something is left that should not be.</param>
internal sealed class LiveReferences(IObjectStore store, RecordStore records, StoredData data, List<string> kept)
{
    private readonly HashSet<string> _keptVolumes = [];

    /// <summary>
    /// Gets the volumes, of records and of data, of an available backup whose manifest cannot be read. None of their data is removed, and no backup, which the rules may have
    /// given up for the sake of that one.
    /// </summary>
    public IReadOnlySet<string> KeptVolumes => _keptVolumes;

    /// <summary>Gets the volumes of which more was kept than is known to be needed: the evidence for its removal must stay, too.</summary>
    public HashSet<string> UnclearVolumes { get; } = [];

    /// <summary>Gets the packs that only manifests without a record, or manifests that go, refer to, by the key of the first of these manifests.</summary>
    public Dictionary<string, List<StoredObject>> OnlyOf { get; } = [];

    /// <param name="live">Backups that stay.</param>
    /// <param name="unnamed">Manifests without a record that stay.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async Task SubtractAsync(IEnumerable<Backup> live, IReadOnlyList<UnnamedManifest> unnamed, CancellationToken cancellationToken)
    {
        foreach (UnnamedManifest unreadable in unnamed.Where(manifest => manifest.Damage is not null))
            KeepAll(unreadable.VolumeId, $"manifest {unreadable.Key} has no record and cannot be read ({unreadable.Damage})");
        HashSet<string> unnamedKeys = [.. unnamed.Select(manifest => manifest.Key)];
        Backup[] backups =
        [
            .. BackupOrder.Sort(live.Where(backup => backup.ManifestKey is not null && data.Volumes.ContainsKey(IntentStore.DataOf(backup).VolumeId))
                .DistinctBy(backup => backup.ManifestKey)),
            .. unnamed.Where(manifest => manifest.Damage is null && data.Volumes.ContainsKey(manifest.VolumeId)).Select(manifest => manifest.ToBackup(BackupStatus.Available)),
        ];
        foreach (Backup backup in backups)
        {
            if (await ReadAsync(backup, cancellationToken).ConfigureAwait(false) is not { } manifest)
                continue;
            VolumeData volume = data.Volumes[manifest.VolumeId];
            volume.Manifests.Remove(manifest.BackupId);
            foreach ((PackId pack, _) in manifest.Packs.Packs)
            {
                if (volume.Packs.Remove(StoredPack.Of(manifest, pack), out StoredObject stored) && unnamedKeys.Contains(manifest.Key))
                    AddOnlyOf(manifest.Key, stored);
            }
        }

        Manifest? previous = null;
        foreach (Backup backup in backups)
        {
            if (data.Volumes[IntentStore.DataOf(backup).VolumeId].Packs.Count == 0
                || await ReadAsync(backup, cancellationToken).ConfigureAwait(false) is not { } manifest)
                continue;
            await SubtractPagesAsync(manifest, previous, cancellationToken).ConfigureAwait(false);
            previous = manifest;
        }
    }

    /// <summary>Takes note that a pack is needed by one manifest alone, or by some that all go.</summary>
    public void AddOnlyOf(string key, StoredObject pack)
    {
        if (!OnlyOf.TryGetValue(key, out List<StoredObject>? packs))
            OnlyOf[key] = packs = [];
        packs.Add(pack);
    }

    private async Task<Manifest?> ReadAsync(Backup backup, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException) when (backup.Status is not (BackupStatus.Available or BackupStatus.Error))
        {
            // Somebody is deleting it, and has come as far as that; or wants to import what is not there.
            return null;
        }
        catch (CorruptionException e)
        {
            if (e.InnerException is ObjectStoreException { Error: ObjectStoreError.NotFound })
            {
                // Deleted since it was listed, or repacked?
                Backup? now = await records.FindRecordAsync(backup.VolumeId, backup.Id, cancellationToken).ConfigureAwait(false);
                if (now is null || now.Status is BackupStatus.Deleting or BackupStatus.ErrorDeleting)
                    return null;
                if (now.ManifestKey != backup.ManifestKey)
                    return await ReadAsync(now, cancellationToken).ConfigureAwait(false);
            }

            string volumeId = IntentStore.DataOf(backup).VolumeId;
            if (backup.Status == BackupStatus.Error)
            {
                KeepAll(volumeId, $"backup {backup.Id} is in error and its manifest cannot be read; delete it if nobody needs it ({e.Message})");
                return null;
            }

            // The rules count it as a backup that can be restored: what they do not keep for its sake must stay.
            kept.Add($"everything of volume {volumeId}, because the manifest of backup {backup.Id} cannot be read; run repair, then delete that backup if nobody needs it, and prune again ({e.Message})");
            _keptVolumes.UnionWith([volumeId, backup.VolumeId]);
            UnclearVolumes.Add(volumeId);
            data.Volumes[volumeId].Clear();
            return null;
        }
    }

    /// <summary>Nobody can restore it as it is, but perhaps somebody can mend it: until it is deleted, all stays that it might need.</summary>
    private void KeepAll(string volumeId, string why)
    {
        VolumeData volume = data.Volumes[volumeId];
        if (volume.Manifests.Count + volume.Packs.Count == 0)
            return;
        UnclearVolumes.Add(volumeId);
        kept.Add($"all manifests and packs of volume {volumeId}, because {why}");
        volume.Clear();
    }

    private async Task SubtractPagesAsync(Manifest manifest, Manifest? previous, CancellationToken cancellationToken)
    {
        VolumeData volume = data.Volumes[manifest.VolumeId];
        HashSet<Guid> chain = [.. manifest.Backups];
        if (!volume.Packs.Keys.Any(pack => chain.Contains(pack.BackupId)))
            return;

        var pages = new PageReader(store, manifest, PageReader.WalkLookAhead);
        var page = new Page();
        foreach (long number in manifest.Pages.MappedPages())
        {
            FrameLocation location = manifest.Pages[number].Location;
            if (manifest.HasPageOf(previous, number))
                continue;
            Keep(volume, manifest, location);
            try
            {
                await pages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
            }
            catch (CorruptionException e)
            {
                UnclearVolumes.Add(manifest.VolumeId);
                kept.Add($"all packs of the chain of backup {manifest.BackupId}, because a page of its manifest cannot be read ({e.Message})");
                foreach (StoredPack pack in volume.Packs.Keys.Where(pack => chain.Contains(pack.BackupId)).ToArray())
                    volume.Packs.Remove(pack);
                return;
            }

            foreach (MapEntry entry in page.Entries)
            {
                if (!entry.IsZero)
                    Keep(volume, manifest, entry.Location);
            }
        }
    }

    private void Keep(VolumeData volume, Manifest manifest, FrameLocation location)
    {
        // Reading a page has not checked where its chunks are.
        if (location.BackupOrdinal < manifest.Backups.Count && volume.Packs.Remove(StoredPack.Of(manifest, location.Pack)))
            kept.Add($"{manifest.GetPackKey(location.Pack)}, because a page of backup {manifest.BackupId} refers to it although its pack table does not");
    }
}
