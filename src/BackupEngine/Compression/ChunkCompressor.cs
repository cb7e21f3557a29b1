using ZstdNet;

namespace BackupEngine.Compression;

/// <summary>Compresses chunks one after the other; each worker has its own.</summary>
internal sealed class ChunkCompressor : IDisposable
{
    private readonly ChunkCompression _compression;
    private readonly CompressionOptions? _zstdOptions;
    private readonly Compressor? _zstd;

    public ChunkCompressor(ChunkCompression compression)
    {
        _compression = compression;
        if (compression.Codec == Codec.Zstd)
        {
            _zstdOptions = new CompressionOptions(compression.Level);
            _zstd = new Compressor(_zstdOptions);
        }
    }

    /// <summary>Room that <see cref="Compress"/> wants for a chunk: at least its own length, so that it can be stored as it is.</summary>
    public int GetMaxLength(int chunkLength) =>
        _zstd is null ? chunkLength : Compressor.GetCompressBound(chunkLength);

    /// <summary>Encodes a chunk, or copies it when that saves less than a 32nd.</summary>
    /// <param name="chunk">The plain bytes, at least one.</param>
    /// <param name="destination">Room of <see cref="GetMaxLength"/> bytes.</param>
    /// <param name="length">Bytes written.</param>
    /// <returns>How the written bytes are encoded.</returns>
    public Codec Compress(ReadOnlySpan<byte> chunk, Span<byte> destination, out int length)
    {
        int worthwhile = chunk.Length - (chunk.Length / 32);
        length = _compression.Codec switch
        {
            Codec.Lz4 => Lz4Block.Encode(chunk, destination[..worthwhile]),
            Codec.Zstd => _zstd!.Wrap(chunk, destination),
            _ => 0,
        };
        if (length > 0 && length <= worthwhile)
            return _compression.Codec;

        chunk.CopyTo(destination);
        length = chunk.Length;
        return Codec.None;
    }

    public void Dispose()
    {
        _zstd?.Dispose();
        _zstdOptions?.Dispose();
    }
}
