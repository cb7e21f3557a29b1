using System.Buffers;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>Fetches and decodes chunks, and says which are lost. One for each worker.</summary>
internal sealed class ChunkVerifier(IObjectStore store, Guid backupId, Manifest manifest, int maxRangeLength, ProgressMeter meter) : IDisposable
{
    private readonly ChunkFetcher _fetcher = new(store, manifest, maxRangeLength);
    private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(manifest.Geometry.ChunkSize);
    private List<VerifyFinding> _findings = [];

    /// <summary>Checks chunks.</summary>
    /// <returns>A finding for each that is lost.</returns>
    public async ValueTask<List<VerifyFinding>> CheckAsync(List<WantedChunk> wanted, CancellationToken cancellationToken)
    {
        _findings = [];
        WantedChunk[] chunks = [.. wanted.Where(IsInChain)];
        foreach (FetchRange range in FetchPlan.Build(chunks, maxRangeLength))
            await CheckRangeAsync(chunks, range, cancellationToken).ConfigureAwait(false);
        return _findings;
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        ArrayPool<byte>.Shared.Return(_plain);
    }

    private bool IsInChain(WantedChunk chunk)
    {
        bool isInChain = chunk.Location.BackupOrdinal < manifest.Backups.Count;
        if (!isInChain)
            Report(chunk, new CorruptionException(manifest.Key, null, $"a page refers to backup {chunk.Location.BackupOrdinal} of a chain of {manifest.Backups.Count}"));
        return isInChain;
    }

    private async ValueTask CheckRangeAsync(WantedChunk[] chunks, FetchRange range, CancellationToken cancellationToken)
    {
        try
        {
            await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
            meter.AddRead(range.Length);
        }
        catch (CorruptionException e) when (range.Count == 1)
        {
            Report(chunks[range.First], e);
            return;
        }
        catch (CorruptionException)
        {
            // Which of the frames are lost is only found by asking for each.
            for (int index = range.First; index < range.First + range.Count; index++)
            {
                FrameLocation location = chunks[index].Location;
                await CheckRangeAsync(chunks, new FetchRange(location.Pack, location.Offset, (int)location.Length, index, 1), cancellationToken).ConfigureAwait(false);
            }

            return;
        }

        foreach (ref readonly WantedChunk chunk in chunks.AsSpan(range.First, range.Count))
        {
            try
            {
                _fetcher.Decode(chunk, _plain.AsSpan(0, manifest.Geometry.GetChunkLength(chunk.Chunk)));
                if (!_fetcher.IsIntact(chunk))
                    throw new CorruptionException(manifest.GetPackKey(chunk.Location.Pack), chunk.Location.Offset, $"the header of the frame of chunk {chunk.Chunk} is damaged; the chunk itself can be read");
            }
            catch (CorruptionException e)
            {
                Report(chunk, e);
            }
        }
    }

    private void Report(in WantedChunk chunk, CorruptionException e) => _findings.Add(new VerifyFinding(
        backupId, e.Key, e.Offset ?? chunk.Location.Offset, chunk.Chunk * manifest.Geometry.ChunkSize, manifest.Geometry.GetChunkLength(chunk.Chunk), e.Problem));
}
