using System.Runtime.InteropServices;
using K4os.Compression.LZ4;

namespace BackupEngine.Compression;

/// <summary>
/// LZ4 blocks, by the system's liblz4 where it is installed (it takes less time than managed code; docs/decisions/0011) and by K4os elsewhere.
/// Both write the same block format, so frames do not tell which it was. Both decoders keep within their spans whatever the input is.
/// </summary>
internal static unsafe class Lz4Block
{
    private static readonly delegate* unmanaged<byte*, byte*, int, int, int> _compress = Find("LZ4_compress_default");
    private static readonly delegate* unmanaged<byte*, byte*, int, int, int> _decompress = Find("LZ4_decompress_safe");

    /// <summary>Whether the system's library does the work.</summary>
    public static bool IsNative => _compress is not null && _decompress is not null;

    /// <summary>Compresses a block.</summary>
    /// <returns>Bytes written; 0 or less when the destination is too short for them.</returns>
    public static int Encode(ReadOnlySpan<byte> plain, Span<byte> destination)
    {
        if (!IsNative)
            return LZ4Codec.Encode(plain, destination);
        fixed (byte* source = plain, target = destination)
            return _compress(source, target, plain.Length, destination.Length);
    }

    /// <summary>Decodes a block that may be damaged.</summary>
    /// <returns>Bytes decoded; less than 0 when the block is damaged or does not fit.</returns>
    public static int Decode(ReadOnlySpan<byte> block, Span<byte> plain)
    {
        if (!IsNative)
            return LZ4Codec.Decode(block, plain);
        fixed (byte* source = block, target = plain)
            return _decompress(source, target, block.Length, plain.Length);
    }

    private static delegate* unmanaged<byte*, byte*, int, int, int> Find(string function) =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("liblz4.so.1", out nint library)
        && NativeLibrary.TryGetExport(library, function, out nint export)
            ? (delegate* unmanaged<byte*, byte*, int, int, int>)export
            : null;
}
