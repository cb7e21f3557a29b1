using System.Security.Cryptography;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Pruning;

/// <summary>
/// Empties packs that are mostly dead (docs/reliability.md "Repack", docs/decisions/0015): what lives in them is stored anew, and each backup that refers to it gets a
/// new manifest beside the old one. The new one counts when the record names it. Nothing is removed here: a prune that follows does that.
/// </summary>
internal sealed class Repacker(IObjectStore store, RecordStore records, IntentStore intents, PruneOptions options, TimeProvider time, Func<string, CancellationToken, IntentRefresher> createRefresher)
{
    private const string ChangedText = "it was changed meanwhile";

    private readonly List<string> _kept = [];

    /// <summary>Whether something was stored that nothing refers to.</summary>
    private bool _hasLeftovers;

    /// <summary>This repack's own name in its marks.</summary>
    private readonly Guid _token = Guid.NewGuid();

    /// <summary>Packs that were emptied, or would be.</summary>
    public long PacksRepacked { get; private set; }

    /// <summary>Bytes of those packs.</summary>
    public long BytesEmptied { get; private set; }

    /// <summary>Bytes of packs and manifests that were stored instead, or about those that would be.</summary>
    public long BytesStored { get; private set; }

    /// <summary>What was left as it is, and why.</summary>
    public IReadOnlyList<string> Kept => _kept;

    /// <summary>The memory that it needs: the pack that is filled, the range that is copied, and windows of pages, of volumes that may be of any size.</summary>
    public static ResourceRequest GetRequest(PruneOptions options) => new()
    {
        Priority = options.Priority,
        Workers = 1,
        MaxBytes = 0,
        FixedBytes = RepackWriter.PackLength + FrameMover.MaxRangeLength,
        WorkerBytes = PageReader.GetMaxBytes(int.MaxValue, PageReader.WalkLookAhead),
    };

    /// <param name="removed">Backups that a prune which only looks takes for removed.</param>
    /// <param name="unreferenced">Data that has no record, but may need the packs of its volume as they are.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    public async Task RunAsync(IReadOnlyList<Guid> removed, IReadOnlyList<UnreferencedData> unreferenced, CancellationToken cancellationToken)
    {
        using LocalWriters.Registration deleting = intents.Writers.Begin(_token);
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Backup> backups = await records.ListRecordsAsync(null, cancellationToken).ConfigureAwait(false);
        RecordStore.ThrowIfUnreadable(backups);
        foreach (IGrouping<string, Backup> volume in backups.Where(backup => !removed.Contains(backup.Id)).GroupBy(backup => IntentStore.DataOf(backup).VolumeId))
        {
            if (options.VolumeId is not null && options.VolumeId != volume.Key)
                continue;
            if (unreferenced.Any(data => data.VolumeId == volume.Key && data.Kind != UnreferencedKind.PacksWithoutManifest && !data.Removed))
            {
                _kept.Add($"the packs of volume {volume.Key} as they are, because it has manifests without a record");
                continue;
            }

            if (FindHindrance(volume, atWork) is { } hindrance)
            {
                _kept.Add($"the packs of volume {volume.Key} as they are, because of {hindrance}");
                continue;
            }

            try
            {
                await RepackAsync(volume.Key, [.. volume], cancellationToken).ConfigureAwait(false);
            }
            catch (CorruptionException e)
            {
                _kept.Add($"the packs of volume {volume.Key} as they are, because something is damaged ({e.Message})");
            }
            catch (VolumeException e)
            {
                _kept.Add($"the packs of volume {volume.Key} as they are ({e.Message})");
            }
        }
    }

    /// <summary>Whoever is at work might come to refer to what is emptied, which then would be there twice; and of what is damaged nobody knows all that it needs.</summary>
    private static string? FindHindrance(IGrouping<string, Backup> volume, IntentListing atWork) =>
        atWork.Intents.FirstOrDefault(intent => !intent.IsDead && IntentStore.DataOf(intent.Backup).VolumeId == volume.Key) is { } working ? working.ToString()
        : volume.FirstOrDefault(backup => backup.Status != BackupStatus.Available || backup.ManifestKey is null) is { } other ? $"backup {other.Id}, which is {other.Status}"
        : null;

    private async Task RepackAsync(string volumeId, Backup[] backups, CancellationToken cancellationToken)
    {
        Backup[] inOrder = [.. BackupOrder.Sort(backups.DistinctBy(backup => backup.ManifestKey))];
        var census = new PackCensus(store, options.RepackBelowPercent.GetValueOrDefault());
        await census.TakeAsync(inOrder, cancellationToken).ConfigureAwait(false);
        if (options.DryRun)
        {
            PacksRepacked += census.Packs.Count;
            BytesEmptied += census.Packs.Values.Sum(pack => pack.SizeBytes);
            BytesStored += census.Packs.Values.Sum(pack => pack.CostBytes);
            return;
        }

        List<(string ManifestKey, Guid NewId)> affected = [];
        int ordinal = 0;
        foreach (Backup backup in inOrder)
        {
            Manifest manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
            ordinal = Math.Max(ordinal, manifest.Backups.Count);
            if (manifest.Packs.Packs.Any(pack => census.Packs.ContainsKey(StoredPack.Of(manifest, pack.Key))))
                affected.Add((manifest.Key, Guid.NewGuid()));
        }

        if (affected.Count == 0)
            return;

        // The first half of a writer's promise: whoever deletes one of these from now on sees it. The second half is in SwitchAsync.
        ILookup<string, Backup> byManifest = backups.ToLookup(backup => backup.ManifestKey!);
        var intent = new Intent
        {
            Backup = RecordStore.CreateStub(volumeId, Guid.NewGuid(), BackupStatus.Creating, null) with { CreatedAt = time.GetUtcNow() },
            Writer = intents.Writers.Identity,
            Repacks = [.. affected.SelectMany(manifest => byManifest[manifest.ManifestKey]).Select(backup => backup.Id)],
            Manifests = [.. affected.Select(manifest => manifest.NewId)],
        };
        using LocalWriters.Registration writing = intents.Writers.Begin(intent.Backup.Id);
        await using IntentRefresher refresher = createRefresher($"The repack of volume {volumeId}", cancellationToken);
        await intents.PutAsync(intent, cancellationToken, refresher).ConfigureAwait(false);
        cancellationToken = refresher.Token;
        using var writer = new RepackWriter(store, volumeId, intent.Backup.Id, (uint)ordinal);
        try
        {
            await RewriteAsync(census, affected, byManifest, intent, writer, cancellationToken).ConfigureAwait(false);
            await refresher.StopAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (refresher.Failure is not null)
        {
            throw refresher.Failure;
        }
        finally
        {
            BytesStored += writer.BytesStored;
        }

        // What was stored and is not referred to goes with the next prune; the tombstone says that it may.
        if (_hasLeftovers && writer.BytesStored > 0)
            await PutTombstoneAsync(intent.Backup, cancellationToken).ConfigureAwait(false);

        // Only when all is well: what a repack that failed has left is nobody's, and its intent, which is that of a dead writer then, tells the next prune.
        await intents.DeleteAsync(intent.Backup, cancellationToken).ConfigureAwait(false);
    }

    private async Task PutTombstoneAsync(Backup repack, CancellationToken cancellationToken)
    {
        try
        {
            Backup tombstone = repack with { Status = BackupStatus.Deleting, StateReason = BackupStateReason.WriterFailed, FailReason = "a repack stored more than came into use", UpdatedAt = time.GetUtcNow() };
            await records.AddTombstoneAsync(tombstone, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.AlreadyExists)
        {
            // A prune considered this repack stale, and removes the same.
        }
    }

    private async Task RewriteAsync(
        PackCensus census, List<(string ManifestKey, Guid NewId)> affected, ILookup<string, Backup> byManifest, Intent intent, RepackWriter writer, CancellationToken cancellationToken)
    {
        FrameMover frames = await MoveFramesAsync(intent.Backup.VolumeId, census, writer, cancellationToken).ConfigureAwait(false);
        var rewriter = new ManifestRewriter(store, frames, writer);
        foreach ((string key, Guid newId) in affected)
        {
            Manifest old = await store.ReadManifestAsync(byManifest[key].First(), cancellationToken).ConfigureAwait(false);
            if (await rewriter.RewriteAsync(old, newId, cancellationToken).ConfigureAwait(false) is not { } anew)
                continue;
            byte[] bytes = ManifestReadBack.Encode(anew);
            await store.PutAsync(anew.Key, bytes, PutCondition.IfAbsent, cancellationToken).ConfigureAwait(false);
            BytesStored += bytes.Length;
            foreach (Backup backup in byManifest[key])
                await SwitchAsync(backup, anew.Key, Convert.ToHexStringLower(SHA256.HashData(bytes)), intent, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<FrameMover> MoveFramesAsync(string volumeId, PackCensus census, RepackWriter writer, CancellationToken cancellationToken)
    {
        var frames = new FrameMover(store, volumeId, writer);
        foreach ((StoredPack pack, PackLife life) in census.Packs.OrderBy(pack => pack.Key.BackupId).ThenBy(pack => pack.Key.Sequence))
        {
            try
            {
                await frames.CopyAsync(pack, life, cancellationToken).ConfigureAwait(false);
                PacksRepacked++;
            }
            catch (CorruptionException e)
            {
                _hasLeftovers = true;
                _kept.Add($"{e.Key}, because what lives in it cannot be read ({e.Message})");
            }
        }

        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        return frames;
    }

    /// <summary>
    /// Lets a record name its new manifest. As a deleter, this first marks the data and then looks for writers: one that began before may have read the old manifest, and
    /// one that begins later sees the mark, or the record as it is then. As a writer, whose intent is there, it looks for deleters.
    /// </summary>
    private async Task SwitchAsync(Backup backup, string manifestKey, string sha256, Intent own, CancellationToken cancellationToken)
    {
        string mark = await intents.PutDeletionAsync(backup, _token, cancellationToken).ConfigureAwait(false);
        try
        {
            string? user = null;
            Backup? changed = await records.ChangeRecordAsync(
                backup,
                async now =>
                {
                    // Whoever declares this repack dead puts a stone in its place, and then makes the record another: either that is seen here, or the change fails.
                    user = await FindUserAsync(backup, now, mark, own, cancellationToken).ConfigureAwait(false);
                    return user is null ? now with { ManifestKey = manifestKey, ManifestSha256 = sha256, UpdatedAt = time.GetUtcNow() } : null;
                },
                cancellationToken).ConfigureAwait(false);
            _hasLeftovers |= changed is null;
            if (changed is null)
                _kept.Add($"the packs of backup {backup.Id} as they are, because {user ?? ChangedText}");
        }
        finally
        {
            using CancellationTokenSource timeout = SafeTimeout.Create(TimeSpan.FromSeconds(30), time);
            await intents.DeleteDeletionsAsync([mark], timeout.Token).ConfigureAwait(false);
        }
    }

    /// <returns>Why the record must stay as it is; null when it need not.</returns>
    /// <exception cref="BackupStateException">This repack was declared dead.</exception>
    private async Task<string?> FindUserAsync(Backup backup, Backup now, string mark, Intent own, CancellationToken cancellationToken)
    {
        // The stone goes after the intent, so that one of them tells.
        bool isBuried = await records.FindRecordAsync(own.Backup.VolumeId, own.Backup.Id, cancellationToken).ConfigureAwait(false) is not null;
        IntentListing atWork = await intents.ListAsync(null, cancellationToken).ConfigureAwait(false);
        if (isBuried || !(atWork.Intents.Any(intent => intent.Backup.Id == own.Backup.Id) || await intents.ExistsAsync(own.Backup, cancellationToken).ConfigureAwait(false)))
            throw new BackupStateException($"This repack of volume {own.Backup.VolumeId} was declared dead by another prune; prune again.");
        if (atWork.Intents.FirstOrDefault(intent => intent.Backup.Id != own.Backup.Id && !intent.IsDead && intent.Needs(backup)) is { } user)
            return $"of {user}";
        bool isDeleted = atWork.FindDeletion(backup, mark) is not null;
        return isDeleted || now.Status != BackupStatus.Available || now.ManifestSha256 != backup.ManifestSha256 ? ChangedText : null;
    }
}
