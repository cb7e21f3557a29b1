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

    public RestoreWorker(IWritableVolume target, VolumeGeometry geometry, VolumeExtent range, ChunkFetcher fetcher, RestoreCounters counters)
    {
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
        await _fetcher.FetchAsync(range, cancellationToken).ConfigureAwait(false);
        _counters.AddFetched(range.Length);
        for (int next = 0; next < range.Count;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            next += DecodeNeighbours(batch.GetChunks(range)[next..], out VolumeExtent written);
            VolumeExtent clipped = Clip(written);
            ReadOnlyMemory<byte> plain = _plain.Memory.Slice((int)(clipped.Offset - written.Offset), (int)clipped.Length);
            await _target.WriteAsync(plain, clipped.Offset, cancellationToken).ConfigureAwait(false);
            _counters.AddWritten(clipped.Length);
        }
    }

    public void Dispose()
    {
        _fetcher.Dispose();
        ((IDisposable)_plain).Dispose();
    }

    private int DecodeNeighbours(ReadOnlySpan<WantedChunk> chunks, out VolumeExtent extent)
    {
        int count = 0;
        int length = 0;
        while (count < chunks.Length && chunks[count].Chunk == chunks[0].Chunk + count)
        {
            int chunkLength = _geometry.GetChunkLength(chunks[count].Chunk);
            if (length + chunkLength > _plain.Memory.Length)
                break;
            _fetcher.Decode(chunks[count], _plain.GetSpan().Slice(length, chunkLength));
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
