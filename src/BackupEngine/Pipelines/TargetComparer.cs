using System.Buffers;
using BackupEngine.Chunking;
using BackupEngine.Hashing;
using BackupEngine.Volumes;

namespace BackupEngine.Pipelines;

/// <summary>Finds out, for a differential restore, what the target already holds.</summary>
internal sealed class TargetComparer(IWritableVolume target, VolumeGeometry geometry, ChunkHasher hasher, RestoreCounters counters)
{
    private int SegmentSize => Math.Max(RegionWorker.SegmentSize, geometry.ChunkSize);

    /// <summary>Reads the target where chunks belong, and leaves in the list those that it does not hold.</summary>
    /// <param name="wanted">Chunks in the order of the volume.</param>
    public async ValueTask RemoveEqualAsync(List<WantedChunk> wanted, CancellationToken cancellationToken)
    {
        byte[] segment = ArrayPool<byte>.Shared.Rent(SegmentSize);
        try
        {
            int kept = 0;
            for (int first = 0; first < wanted.Count;)
            {
                // A range may end within a chunk, and the target with it: such a chunk cannot be compared, so it is written.
                if ((wanted[first].Chunk + 1) * geometry.ChunkSize > target.SizeBytes && target.SizeBytes < geometry.SizeBytes)
                {
                    wanted[kept++] = wanted[first++];
                    continue;
                }

                int end = first + 1;
                while (end < wanted.Count && wanted[end].Chunk == wanted[end - 1].Chunk + 1 && end - first < SegmentSize / geometry.ChunkSize
                    && ((wanted[end].Chunk + 1) * geometry.ChunkSize <= target.SizeBytes || target.SizeBytes >= geometry.SizeBytes))
                    end++;
                long offset = wanted[first].Chunk * geometry.ChunkSize;
                int length = (int)Math.Min((long)(end - first) * geometry.ChunkSize, geometry.SizeBytes - offset);
                await target.ReadAsync(segment.AsMemory(0, length), offset, cancellationToken).ConfigureAwait(false);
                counters.AddCompared(length);
                for (; first < end; first++)
                {
                    WantedChunk chunk = wanted[first];
                    int chunkLength = geometry.GetChunkLength(chunk.Chunk);
                    if (hasher.Hash(segment.AsSpan((int)((chunk.Chunk * geometry.ChunkSize) - offset), chunkLength)) == chunk.Digest)
                        counters.AddKept(chunkLength);
                    else
                        wanted[kept++] = chunk;
                }
            }

            wanted.RemoveRange(kept, wanted.Count - kept);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(segment);
        }
    }

    /// <summary>Makes a stretch of the target zero, writing only where it is not. Holes of the target are not even read.</summary>
    public async ValueTask WriteMissingZerosAsync(VolumeExtent zeros, CancellationToken cancellationToken)
    {
        byte[] segment = ArrayPool<byte>.Shared.Rent(SegmentSize);
        try
        {
            for (long offset = zeros.Offset; offset < zeros.End;)
            {
                VolumeExtent? allocated = await target.FindAllocatedAsync(offset, cancellationToken).ConfigureAwait(false);
                long start = allocated is { } extent ? Math.Clamp(extent.Offset, offset, zeros.End) : zeros.End;
                counters.AddKept(start - offset);
                if (start == zeros.End)
                    return;

                int length = (int)Math.Min(SegmentSize, Math.Min(allocated!.Value.End, zeros.End) - start);
                await target.ReadAsync(segment.AsMemory(0, length), start, cancellationToken).ConfigureAwait(false);
                counters.AddCompared(length);
                if (ZeroScan.IsZero(segment.AsSpan(0, length)))
                {
                    counters.AddKept(length);
                }
                else
                {
                    await target.WriteZerosAsync(start, length, cancellationToken).ConfigureAwait(false);
                    counters.AddZeroed(length);
                }

                offset = start + length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(segment);
        }
    }
}
