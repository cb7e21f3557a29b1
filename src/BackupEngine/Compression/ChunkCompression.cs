using System.Globalization;
using System.Text.Json.Serialization;

namespace BackupEngine.Compression;

/// <summary>How new chunks are compressed; a chunk that does not shrink is stored as it is. Written <c>none</c>, <c>lz4</c>, <c>zstd</c> or <c>zstd:LEVEL</c>.</summary>
[JsonConverter(typeof(ChunkCompressionJsonConverter))]
public readonly record struct ChunkCompression
{
    /// <summary>The highest level of zstd.</summary>
    public const int MaxZstdLevel = 22;

    private ChunkCompression(Codec codec, int level)
    {
        Codec = codec;
        Level = level;
    }

    /// <summary>Stores chunks as they are.</summary>
    public static ChunkCompression None => default;

    /// <summary>LZ4: the fastest.</summary>
    public static ChunkCompression Lz4 => new(Codec.Lz4, 0);

    /// <summary>zstd: smaller.</summary>
    /// <param name="level">1 (fast) to 22 (small). Default: 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The level is not from 1 to 22.</exception>
    public static ChunkCompression Zstd(int level = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, MaxZstdLevel);
        return new(Codec.Zstd, level);
    }

    internal Codec Codec { get; }

    internal int Level { get; }

    /// <summary>Reads the written form.</summary>
    /// <returns>False when <paramref name="text"/> is none of the written forms.</returns>
    public static bool TryParse(string? text, out ChunkCompression compression)
    {
        (bool valid, compression) = text switch
        {
            "none" => (true, None),
            "lz4" => (true, Lz4),
            "zstd" => (true, Zstd()),
            not null when text.StartsWith("zstd:", StringComparison.Ordinal)
                && int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int level)
                && level is >= 1 and <= MaxZstdLevel => (true, Zstd(level)),
            _ => (false, default),
        };
        return valid;
    }

    /// <summary>The written form.</summary>
    public override string ToString() => Codec switch
    {
        Codec.Lz4 => "lz4",
        Codec.Zstd => string.Create(CultureInfo.InvariantCulture, $"zstd:{Level}"),
        _ => "none",
    };
}
