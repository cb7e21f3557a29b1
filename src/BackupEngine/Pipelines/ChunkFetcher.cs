using BackupEngine.Buffers;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Manifests;
using BackupEngine.ObjectStores;
using BackupEngine.Packing;

namespace BackupEngine.Pipelines;

/// <summary>Fetches ranges of packs and decodes the chunks in them, each checked against its hash. One for each worker.</summary>
internal sealed class ChunkFetcher : IDisposable
{
    private readonly IObjectStore _store;
    private readonly Manifest _manifest;
    private readonly ChunkDecompressor _decompressor = new();
    private readonly NativeBuffer _range;
    private FetchRange _fetched;

    public ChunkFetcher(IObjectStore store, Manifest manifest, int maxRangeLength)
    {
        _store = store;
        _manifest = manifest;
        _range = new NativeBuffer(GetBufferLength(manifest.Geometry.ChunkSize, maxRangeLength));
    }

    /// <summary>Bytes of a range's buffer: a single frame must fit whatever the limit.</summary>
    public static int GetBufferLength(int chunkSize, int maxRangeLength) => Math.Max(maxRangeLength, chunkSize + FrameFormat.HeaderSize);

    /// <summary>Fetches a range.</summary>
    /// <exception cref="CorruptionException">The pack is missing or ends early, or the map asks for what cannot be.</exception>
    public async ValueTask FetchAsync(FetchRange range, CancellationToken cancellationToken)
    {
        string key = _manifest.GetPackKey(range.Pack);
        if (range.Length > _range.Memory.Length)
            throw new CorruptionException(key, range.Offset, $"the manifest says that a frame has {range.Length} bytes, more than a chunk can have");
        await _store.ReadPackAsync(key, range.Offset, _range.Memory[..range.Length], cancellationToken).ConfigureAwait(false);
        _fetched = range;
    }

    /// <summary>Decodes one of the chunks of the range that was fetched last.</summary>
    /// <param name="wanted">The chunk.</param>
    /// <param name="plain">Takes it; exactly of its length.</param>
    /// <exception cref="CorruptionException">The frame is damaged.</exception>
    public void Decode(in WantedChunk wanted, Span<byte> plain)
    {
        ReadOnlySpan<byte> frame = _range.GetSpan().Slice((int)(wanted.Location.Offset - _fetched.Offset), (int)wanted.Location.Length);
        if (!FrameHeader.TryRead(frame, out FrameHeader header) || header.Kind != FrameKind.Chunk
            || header.StoredLength != frame.Length - FrameFormat.HeaderSize || header.PlainLength != plain.Length
            || !_decompressor.TryDecompress(header.Codec, frame[FrameFormat.HeaderSize..], plain)
            || _manifest.Hasher.Hash(plain) != wanted.Digest)
            throw Damaged(wanted, frame);
    }

    /// <summary>Whether the frame of one of the chunks of the range that was fetched last is as it was written, header and all: more than decoding it asks for.</summary>
    public bool IsIntact(in WantedChunk wanted)
    {
        ReadOnlySpan<byte> frame = _range.GetSpan().Slice((int)(wanted.Location.Offset - _fetched.Offset), (int)wanted.Location.Length);
        return FrameHeader.IsIntact(frame);
    }

    public void Dispose()
    {
        _decompressor.Dispose();
        ((IDisposable)_range).Dispose();
    }

    private CorruptionException Damaged(in WantedChunk wanted, ReadOnlySpan<byte> frame)
    {
        long offset = wanted.Chunk * _manifest.Geometry.ChunkSize;
        string what = FrameHeader.IsIntact(frame) ? "does not match the hash in the manifest" : "is damaged";
        return new CorruptionException(
            _manifest.GetPackKey(wanted.Location.Pack),
            wanted.Location.Offset,
            $"the frame of chunk {wanted.Chunk} (volume bytes {offset} to {offset + _manifest.Geometry.GetChunkLength(wanted.Chunk)}) {what}");
    }
}
