using BackupEngine.Format;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pruning;

/// <summary>Copies the live chunks of packs, each frame checked and taken over as it is, and knows where each has gone.</summary>
internal sealed class FrameMover(IObjectStore store, string volumeId, RepackWriter writer)
{
    /// <summary>Bytes that are fetched at once.</summary>
    public const int MaxRangeLength = 4 << 20;

    private const int MaxGap = 64 << 10;

    private readonly Dictionary<(StoredPack Pack, uint Offset), FrameLocation> _moved = [];
    private readonly HashSet<StoredPack> _emptied = [];
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(MaxRangeLength + FrameFormat.HeaderSize);

    /// <summary>Whether all that lives in a pack is to be moved, pages too.</summary>
    public bool IsEmptied(StoredPack pack) => _emptied.Contains(pack);

    public bool TryFind(StoredPack pack, uint offset, out FrameLocation location) => _moved.TryGetValue((pack, offset), out location);

    /// <summary>Copies the live chunks of a pack.</summary>
    /// <exception cref="CorruptionException">One of them is missing or damaged: the pack stays as it is.</exception>
    public async Task CopyAsync(StoredPack pack, PackLife life, CancellationToken cancellationToken)
    {
        string key = StoreKeys.Pack(volumeId, pack.BackupId, pack.Sequence);
        (uint Offset, uint Length)[] frames = [.. life.Frames.Where(frame => !frame.Value.IsPage).Select(frame => (frame.Key, frame.Value.Length)).OrderBy(frame => frame.Key)];
        var copied = new List<(uint Offset, FrameLocation Location)>(frames.Length);
        for (int first = 0; first < frames.Length;)
        {
            long start = frames[first].Offset;
            long end = start + frames[first].Length;
            int next = first + 1;
            for (; next < frames.Length && frames[next].Offset - end <= MaxGap && frames[next].Offset + frames[next].Length - start <= MaxRangeLength; next++)
                end = Math.Max(end, (long)frames[next].Offset + frames[next].Length);
            if (end - start > _buffer.Length)
                throw new CorruptionException(key, start, $"a page says that a frame has {end - start} bytes, more than a chunk can have");
            await store.ReadPackAsync(key, start, _buffer.AsMemory(0, (int)(end - start)), cancellationToken).ConfigureAwait(false);
            for (; first < next; first++)
            {
                ReadOnlyMemory<byte> frame = _buffer.AsMemory((int)(frames[first].Offset - start), (int)frames[first].Length);
                if (!FrameHeader.IsIntact(frame.Span))
                    throw new CorruptionException(key, frames[first].Offset, "a frame is damaged");
                copied.Add((frames[first].Offset, await writer.AppendFrameAsync(frame, cancellationToken).ConfigureAwait(false)));
            }
        }

        foreach ((uint offset, FrameLocation location) in copied)
            _moved[(pack, offset)] = location;
        _emptied.Add(pack);
    }
}
