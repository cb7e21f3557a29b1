using BackupEngine.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>One of the workers of a restore: fetches a range, decodes and checks its chunks, and writes those that are neighbours in one go.</summary>
internal sealed class RestoreWorker : IDisposable
{
    /// <summary>Written at once, at the most.</summary>
    internal const int MaxWriteLength = 256 << 10;

    private readonly IWritableVolume _target;
    private readonly VolumeGeometry _geometry;
    private readonly VolumeExtent _range;
    private readonly RestoreCounters _counters;
    private readonly ChunkFetcher _fetcher;
    private readonly NativeBuffer _plain;
    private readonly Func<long, long, CorruptionException, CancellationToken, ValueTask>? _lose;

    /// <param name="lose">Told the first chunk, the number, and the reason of chunks that are damaged; null to fail at the first.</param>
    public RestoreWorker(
        IWritableVolume target, VolumeGeometry geometry, VolumeExtent range, ChunkFetcher fetcher, RestoreCounters counters,
        Func<long, long, CorruptionException, CancellationToken, ValueTask>? lose)
    {
        _lose = lose;
        _target = target;
        _geometry = geometry;
        _range = range;
        _fetcher = fetcher;
        _counters = counters;
        _plain = new NativeBuffer(Math.Max(MaxWriteLength, geometry.ChunkSize));
    }

    /// <summary>Restores the chunks of one range.</summary>
    public async ValueTask RestoreAsync(RestoreBatch batch, FetchRange range, CancellationToken cancellationToken)
    {
        try
        {
            await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
        }
        catch (CorruptionException e) when (_lose is not null)
        {
            await RestoreSinglyAsync(batch, range, e, cancellationToken).ConfigureAwait(false);
            return;
        }

        _counters.AddFetched(range.Length);
        for (int next = 0; next < range.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = DecodeNeighbours(batch.GetChunks(range)[next..], out VolumeExtent written, out CorruptionException? damage);
            if (count > 0)
            {
                VolumeExtent clipped = Clip(written);
                ReadOnlyMemory<byte> plain = _plain.Memory.Slice((int)(clipped.Offset - written.Offset), (int)clipped.Length);
                await _target.WriteAsync(plain, clipped.Offset, cancellationToken).ConfigureAwait(false);
                _counters.AddWritten(clipped.Length);
                next += count;
            }

            if (damage is not null)
                await _lose!(batch.GetChunks(range)[next++].Chunk, 1, damage, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Which frames of a range are lost that cannot be fetched as a whole is only found by asking for each.</summary>
    private async ValueTask RestoreSinglyAsync(RestoreBatch batch, FetchRange range, CorruptionException why, CancellationToken cancellationToken)
    {
        for (int index = 0; index < range.Count; index++)
        {
            WantedChunk chunk = batch.GetChunks(range)[index];
            if (range.Count == 1)
                await _lose!(chunk.Chunk, 1, why, cancellationToken).ConfigureAwait(false);
            else
                await RestoreAsync(batch, new FetchRange(range.Pack, chunk.Location.Offset, (int)chunk.Location.Length, range.First + index, 1), cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        ((IDisposable)_plain).Dispose();
    }

    /// <returns>The number of chunks that were decoded; the next one is damaged when <paramref name="damage"/> says so.</returns>
    private int DecodeNeighbours(ReadOnlySpan<WantedChunk> chunks, out VolumeExtent extent, out CorruptionException? damage)
    {
        damage = null;
        int count = 0;
        int length = 0;
        while (count < chunks.Length && chunks[count].Chunk == chunks[0].Chunk + count)
        {
            int chunkLength = _geometry.GetChunkLength(chunks[count].Chunk);
            if (length + chunkLength > _plain.Memory.Length)
                break;
            try
            {
                _fetcher.Decode(chunks[count], _plain.GetSpan().Slice(length, chunkLength));
            }
            catch (CorruptionException e) when (_lose is not null)
            {
                damage = e;
                break;
            }

            length += chunkLength;
            count++;
        }

        extent = new VolumeExtent(chunks[0].Chunk * _geometry.ChunkSize, length);
        return count;
    }

    private VolumeExtent Clip(VolumeExtent extent)
    {
        long start = Math.Max(extent.Offset, _range.Offset);
        return new VolumeExtent(start, Math.Min(extent.End, _range.End) - start);
    }
}
