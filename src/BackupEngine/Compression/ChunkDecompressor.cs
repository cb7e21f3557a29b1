using ZstdNet;

namespace BackupEngine.Compression;

/// <summary>Decodes frames one after the other; each worker has its own. Input may be damaged: it is never trusted.</summary>
internal sealed class ChunkDecompressor : IDisposable
{
    private Decompressor? _zstd;

    /// <summary>Decodes into exactly the plain length.</summary>
    /// <returns>False when the bytes do not decode to that length.</returns>
    public bool TryDecompress(Codec codec, ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        switch (codec)
        {
            case Codec.None when stored.Length == plain.Length:
                stored.CopyTo(plain);
                return true;
            case Codec.Lz4:
                return Lz4Block.Decode(stored, plain) == plain.Length;
            case Codec.Zstd:
                return TryDecompressZstd(stored, plain);
            default:
                return false;
        }
    }

    public void Dispose() => _zstd?.Dispose();

    private bool TryDecompressZstd(ReadOnlySpan<byte> stored, Span<byte> plain)
    {
        _zstd ??= new Decompressor();
        try
        {
            return _zstd.Unwrap(stored, plain, bufferSizePrecheck: false) == plain.Length;
        }
        catch (ZstdException)
        {
            return false;
        }
    }
}
