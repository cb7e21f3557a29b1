using System.Runtime.InteropServices;
using K4os.Compression.LZ4;

namespace BackupEngine.Compression;

/// <summary>
/// LZ4 blocks, by the system's liblz4 where it is installed (about a fifth less time than managed code; docs/decisions/0011) and by K4os elsewhere.
/// Both write the same block format, so frames do not tell which it was. Decoding is K4os alone: it is no bottleneck, and damaged input stays in managed hands.
/// </summary>
internal static unsafe class Lz4Block
{
    private static readonly delegate* unmanaged<byte*, byte*, int, int, int> _compress = FindCompress();

    /// <summary>Whether the system's library does the work.</summary>
    public static bool IsNative => _compress is not null;

    /// <summary>Compresses a block.</summary>
    /// <returns>Bytes written; 0 or less when the destination is too short for them.</returns>
    public static int Encode(ReadOnlySpan<byte> plain, Span<byte> destination)
    {
        if (!IsNative)
            return LZ4Codec.Encode(plain, destination);
        fixed (byte* source = plain, target = destination)
            return _compress(source, target, plain.Length, destination.Length);
    }

    private static delegate* unmanaged<byte*, byte*, int, int, int> FindCompress() =>
        OperatingSystem.IsLinux()
        && NativeLibrary.TryLoad("liblz4.so.1", out nint library)
        && NativeLibrary.TryGetExport(library, "LZ4_compress_default", out nint export)
            ? (delegate* unmanaged<byte*, byte*, int, int, int>)export
            : null;
}
