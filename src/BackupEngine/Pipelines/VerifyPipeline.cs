using System.Collections.Concurrent;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>Checks that backups could be restored, without restoring them. What several backups share is read once.</summary>
internal sealed class VerifyPipeline(IObjectStore store, VerifyOptions options, ProgressMeter meter)
{
    private const int MaxRangeLength = 4 << 20;

    private readonly ConcurrentBag<VerifyFinding> _findings = [];
    private readonly Dictionary<string, Dictionary<string, long>> _packSizes = [];
    private readonly HashSet<string> _packsChecked = [];
    private readonly ConcurrentDictionary<string, HashSet<uint>> _framesChecked = [];

    public async Task<VerifyReport> RunAsync(IReadOnlyList<Backup> backups, CancellationToken cancellationToken)
    {
        foreach (Backup backup in backups)
        {
            await CheckAsync(backup, cancellationToken).ConfigureAwait(false);
            meter.AddDone(options.Deep ? 0 : backup.SizeBytes);
        }

        return new VerifyReport
        {
            BackupsChecked = backups.Count,
            PacksChecked = _packsChecked.Count,
            BytesRead = meter.BytesRead,
            Findings = [.. _findings.OrderBy(finding => finding.BackupId).ThenBy(finding => finding.VolumeOffset).ThenBy(finding => finding.Key, StringComparer.Ordinal)],
        };
    }

    private async Task CheckAsync(Backup backup, CancellationToken cancellationToken)
    {
        if (backup.Status == BackupStatus.Error)
        {
            _findings.Add(new VerifyFinding(backup.Id, StoreKeys.Record(backup.VolumeId, backup.Id), null, null, null, backup.FailReason ?? "the backup is in error"));
            return;
        }

        Manifest manifest;
        try
        {
            manifest = await store.ReadManifestAsync(backup, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            Report(backup, e, null);
            return;
        }

        await CheckPacksAsync(backup, manifest, cancellationToken).ConfigureAwait(false);
        if (options.Deep)
            await CheckChunksAsync(backup, manifest, cancellationToken).ConfigureAwait(false);
    }

    private async Task CheckPacksAsync(Backup backup, Manifest manifest, CancellationToken cancellationToken)
    {
        Dictionary<string, long> sizes = await GetPackSizesAsync(manifest.VolumeId, cancellationToken).ConfigureAwait(false);
        foreach ((PackId pack, PackUse use) in manifest.Packs.Packs)
        {
            string key = manifest.GetPackKey(pack);
            _packsChecked.Add(key);
            if (!sizes.TryGetValue(key, out long size))
                _findings.Add(new VerifyFinding(backup.Id, key, null, null, null, "the pack is missing"));
            else if (size != use.SizeBytes)
                _findings.Add(new VerifyFinding(backup.Id, key, Math.Min(size, use.SizeBytes), null, null, $"the pack has {size} bytes instead of {use.SizeBytes}"));
        }
    }

    private async Task<Dictionary<string, long>> GetPackSizesAsync(string volumeId, CancellationToken cancellationToken)
    {
        if (_packSizes.TryGetValue(volumeId, out Dictionary<string, long>? sizes))
            return sizes;
        sizes = [];
        await foreach (ObjectInfo pack in store.ListAsync(StoreKeys.PacksOf(volumeId), cancellationToken).ConfigureAwait(false))
            sizes[pack.Key] = pack.SizeBytes;
        return _packSizes[volumeId] = sizes;
    }

    private async Task CheckChunksAsync(Backup backup, Manifest manifest, CancellationToken cancellationToken)
    {
        var pages = new PageReader(store, manifest, PageReader.WalkLookAhead);
        var usedBytes = new ConcurrentDictionary<PackId, long>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(4, Environment.ProcessorCount), CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(manifest.Pages.MappedPages(), parallel, async (number, token) =>
        {
            using var fetcher = new ChunkFetcher(store, manifest, MaxRangeLength);
            await CheckPageAsync(backup, manifest, pages, number, fetcher, usedBytes, token).ConfigureAwait(false);
            meter.AddDone(manifest.Geometry.PageSize);
        }).ConfigureAwait(false);

        // Deleting trusts the pack table, so it must be what the pages say.
        bool isWhole = _findings.All(finding => finding.BackupId != backup.Id);
        if (isWhole && manifest.Packs.Packs.Any(pack => usedBytes.GetValueOrDefault(pack.Key) != pack.Value.UsedBytes || usedBytes.Count != manifest.Packs.Count))
            _findings.Add(new VerifyFinding(backup.Id, manifest.Key, null, null, null, "the pack table does not count what the pages refer to"));
    }

    private async Task CheckPageAsync(
        Backup backup, Manifest manifest, PageReader pages, long number, ChunkFetcher fetcher, ConcurrentDictionary<PackId, long> usedBytes, CancellationToken cancellationToken)
    {
        var page = new Page();
        try
        {
            await pages.ReadAsync(number, page, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e)
        {
            Report(backup, e, (number * manifest.Geometry.PageSize, manifest.Geometry.PageSize));
            return;
        }

        Count(manifest.Pages[number].Location);
        var wanted = new List<WantedChunk>(PageFormat.ChunksPerPage);
        for (int index = 0; index < PageFormat.ChunksPerPage; index++)
        {
            if (page[index].IsZero)
                continue;
            Count(page[index].Location);
            if (IsFirstVisit(manifest.GetPackKey(page[index].Location.Pack), page[index].Location))
                wanted.Add(new WantedChunk((number * PageFormat.ChunksPerPage) + index, page[index].Location, page[index].Digest));
        }

        WantedChunk[] chunks = [.. wanted];
        foreach (FetchRange range in FetchPlan.Build(chunks, MaxRangeLength))
            await CheckRangeAsync(backup, manifest, chunks, range, fetcher, cancellationToken).ConfigureAwait(false);

        void Count(FrameLocation location) => usedBytes.AddOrUpdate(location.Pack, location.Length, (_, used) => used + location.Length);
    }

    private async Task CheckRangeAsync(
        Backup backup, Manifest manifest, WantedChunk[] chunks, FetchRange range, ChunkFetcher fetcher, CancellationToken cancellationToken)
    {
        try
        {
            await fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
            meter.AddRead(range.Length);
        }
        catch (CorruptionException e) when (range.Count == 1)
        {
            Report(backup, e, GetExtent(manifest, chunks[range.First]));
            return;
        }
        catch (CorruptionException)
        {
            // Which of the frames are lost is only found by asking for each.
            for (int index = range.First; index < range.First + range.Count; index++)
            {
                FrameLocation location = chunks[index].Location;
                await CheckRangeAsync(backup, manifest, chunks, new FetchRange(location.Pack, location.Offset, (int)location.Length, index, 1), fetcher, cancellationToken).ConfigureAwait(false);
            }

            return;
        }

        byte[] plain = System.Buffers.ArrayPool<byte>.Shared.Rent(manifest.Geometry.ChunkSize);
        for (int index = range.First; index < range.First + range.Count; index++)
        {
            try
            {
                fetcher.Decode(chunks[index], plain.AsSpan(0, manifest.Geometry.GetChunkLength(chunks[index].Chunk)));
            }
            catch (CorruptionException e)
            {
                Report(backup, e, GetExtent(manifest, chunks[index]));
            }
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(plain);
    }

    private bool IsFirstVisit(string key, FrameLocation location)
    {
        HashSet<uint> frames = _framesChecked.GetOrAdd(key, static _ => []);
        lock (frames)
            return frames.Add(location.Offset);
    }

    private static (long Offset, long Length) GetExtent(Manifest manifest, WantedChunk chunk) =>
        (chunk.Chunk * manifest.Geometry.ChunkSize, manifest.Geometry.GetChunkLength(chunk.Chunk));

    private void Report(Backup backup, CorruptionException e, (long Offset, long Length)? extent) =>
        _findings.Add(new VerifyFinding(backup.Id, e.Key, e.Offset, extent?.Offset, extent?.Length, e.Problem));
}
