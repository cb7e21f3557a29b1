using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>Checks that backups could be restored, without restoring them. Chains are walked from their beginnings, so that what a backup shares with the one before is not read again.</summary>
internal sealed class VerifyPipeline(IObjectStore store, VerifyOptions options, ProgressMeter meter)
{
    private readonly List<VerifyFinding> _findings = [];
    private readonly Dictionary<string, Dictionary<string, long>> _packSizes = [];
    private readonly HashSet<string> _packsChecked = [];
    private readonly List<Guid> _skipped = [];
    private readonly List<Guid> _intactAgain = [];
    private int _backupsChecked;

    public async Task<VerifyReport> RunAsync(IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        CheckedManifest? previous = null;
        foreach (Backup backup in InOrderOfChains(backups))
        {
            // The machine's clock may have been wrong, and so may the store's: a backup is old only when both say so.
            if (options.Since is { } since && backup.CreatedAt < since && (backup.StoredAt ?? backup.CreatedAt) < since)
                previous = await TryTrustAsync(backup, cancellationToken).ConfigureAwait(false) ?? previous;
            else
                previous = await CheckAsync(backup, previous, cancellationToken).ConfigureAwait(false) ?? previous;
            meter.AddDone(options.Deep ? 0 : backup.SizeBytes);
        }

        return new VerifyReport
        {
            BackupsChecked = _backupsChecked,
            BackupsSkipped = _skipped,
            PacksChecked = _packsChecked.Count,
            BytesRead = meter.BytesRead,
            IntactAgain = _intactAgain,
            Findings = [.. _findings.OrderBy(finding => finding.BackupId).ThenBy(finding => finding.VolumeOffset).ThenBy(finding => finding.Key, StringComparer.Ordinal)],
        };
    }

    private static IEnumerable<Backup> InOrderOfChains(IReadOnlyList<Backup> backups)
    {
        var byId = new Dictionary<Guid, Backup>();
        foreach (Backup backup in backups)
            byId[backup.Id] = backup;
        return BackupOrder.Sort(backups).OrderBy(RootOf);

        Guid RootOf(Backup backup)
        {
            // Records are not to be believed: parents could go round in a circle.
            for (int steps = 0; steps < backups.Count && backup.ParentId is { } parentId && byId.TryGetValue(parentId, out Backup? parent); steps++)
                backup = parent;
            return backup.Id;
        }
    }

    private async Task<CheckedManifest?> TryTrustAsync(Backup backup, CancellationToken cancellationToken)
    {
        if (!options.Deep || backup.Status == BackupStatus.Error || backup.IsNewer)
            return null;
        try
        {
            return CheckedManifest.Trust(await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false));
        }
        catch (BackupEngineException e) when (e is CorruptionException or RepositoryException)
        {
            // Not what is looked at here; whoever came later is simply read whole.
            return null;
        }
    }

    private async Task<CheckedManifest?> CheckAsync(Backup backup, CheckedManifest? previous, CancellationToken cancellationToken)
    {
        if (backup.IsNewer)
        {
            _skipped.Add(backup.Id);
            return null;
        }

        _backupsChecked++;
        bool isMarked = backup.Status == BackupStatus.Error;

        // Only a look at every byte can tell that a backup is intact again; any other repeats what is known.
        if (isMarked && (!IsComplete || backup.ManifestSha256 is null))
        {
            _findings.Add(new VerifyFinding(backup.Id, StoreKeys.Record(backup.VolumeId, backup.Id), null, null, null, backup.FailReason ?? "the backup is in error"));
            return null;
        }

        Manifest manifest;
        try
        {
            manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            _findings.Add(new VerifyFinding(backup.Id, e.Key, e.Offset, null, null, e.Problem));
            return null;
        }
        catch (RepositoryException)
        {
            // A later version of the format, and the SHA-256 in the record is right: it is not damaged.
            _backupsChecked--;
            _skipped.Add(backup.Id);
            return null;
        }

        int before = _findings.Count;
        await CheckPacksAsync(backup, manifest, cancellationToken).ConfigureAwait(false);
        if (!options.Deep)
            return null;
        var deep = new DeepVerifier(store, backup.Id, manifest, previous, options.SamplePercent / 100, options.Workers ?? DeepVerifier.DefaultWorkers, meter);
        CheckedManifest result = await deep.RunAsync(cancellationToken).ConfigureAwait(false);
        _findings.AddRange(deep.Findings);
        if (isMarked && _findings.Count == before)
            _intactAgain.Add(backup.Id);
        return result;
    }

    private bool IsComplete => options is { Deep: true, SamplePercent: >= 100, Since: null };

    private async Task CheckPacksAsync(Backup backup, Manifest manifest, CancellationToken cancellationToken)
    {
        Dictionary<string, long> sizes = await GetPackSizesAsync(manifest.VolumeId, cancellationToken).ConfigureAwait(false);
        foreach ((PackId pack, PackUse use) in manifest.Packs.Packs)
        {
            string key = manifest.GetPackKey(pack);
            _packsChecked.Add(key);
            if (!sizes.TryGetValue(key, out long size))
            {
                // A listing that does not show a pack proves nothing.
                if (await store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is not { } info)
                {
                    _findings.Add(new VerifyFinding(backup.Id, key, null, null, null, "the pack is missing"));
                    continue;
                }

                size = sizes[key] = info.SizeBytes;
            }

            if (size != use.SizeBytes)
                _findings.Add(new VerifyFinding(backup.Id, key, Math.Min(size, use.SizeBytes), null, null, $"the pack has {size} bytes instead of {use.SizeBytes}"));
        }
    }

    private async Task<Dictionary<string, long>> GetPackSizesAsync(string volumeId, CancellationToken cancellationToken)
    {
        if (_packSizes.TryGetValue(volumeId, out Dictionary<string, long>? sizes))
            return sizes;

        // One volume's at a time: memory grows with the packs of a volume, not of the repository.
        _packSizes.Clear();
        sizes = [];
        await foreach (ObjectInfo pack in store.ListAsync(StoreKeys.PacksOf(volumeId), cancellationToken).ConfigureAwait(false))
            sizes[pack.Key] = pack.SizeBytes;
        return _packSizes[volumeId] = sizes;
    }
}
