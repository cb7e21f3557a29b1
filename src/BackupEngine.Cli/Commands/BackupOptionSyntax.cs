using System.CommandLine;
using System.Numerics;
using BackupEngine.Cli.CommandLine;
using BackupEngine.Compression;
using BackupEngine.Hashing;

namespace BackupEngine.Cli.Commands;

/// <summary>The options of <c>backup</c> whose values have a syntax or bounds of their own.</summary>
internal static class BackupOptionSyntax
{
    private const int MinChunkSize = 4 << 10;
    private const int MaxChunkSize = 4 << 20;
    private const int MaxWorkers = 256;
    private const long MinMemoryBytes = 16L << 20;

    public static Option<string> VolumeId() => new("--volume-id")
    {
        Description = "The volume's own id. Default: a UUID made from its path, the same every time.",
        HelpName = "ID",
        CustomParser = Parsers.Of<string>(VolumeIdSyntax.TryParse),
    };

    public static Option<ChunkCompression?> Compression() => new("--compression")
    {
        Description = "lz4 (the default: fastest), zstd or zstd:LEVEL (smaller; LEVEL 1 to 22), or none.",
        HelpName = "HOW",
        CustomParser = Parsers.OfNullable((string text, out ChunkCompression value, out string problem) =>
        {
            problem = $"'{text}' is no compression: write lz4, zstd, zstd:LEVEL (1 to {ChunkCompression.MaxZstdLevel}) or none.";
            return ChunkCompression.TryParse(text, out value);
        }),
    };

    public static Option<int?> ChunkSize() => new("--chunk-size")
    {
        Description = "Bytes that are hashed and compressed as one: a power of two from 4KiB to 4MiB. Default: 64KiB, or the parent's.",
        HelpName = "SIZE",
        CustomParser = Parsers.OfNullable((string text, out int value, out string problem) =>
        {
            value = 0;
            if (!ByteSizeSyntax.TryParse(text, out long bytes, out problem))
                return false;
            problem = $"'{text}' is no chunk size: write a power of two from 4KiB to 4MiB.";
            if (bytes is < MinChunkSize or > MaxChunkSize || !BitOperations.IsPow2(bytes))
                return false;
            value = (int)bytes;
            return true;
        }),
    };

    public static Option<ChunkHash?> Hash() => new("--hash")
    {
        Description = "The hash of chunks: blake3 (the default), blake3-256, sha256, or xxh128 (fastest, for trusted content only). An incremental has its parent's.",
        HelpName = "HASH",
        CustomParser = Parsers.OfNullable<ChunkHash>(HashSyntax.TryParse),
    };

    public static Option<Guid?> Resume() => new("--resume")
    {
        Description = "Take over what a backup that was cut off has stored: that one, which must be dead, or (the default) the last of the volume whose process is known to be gone.",
        HelpName = "ID",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result =>
        {
            if (result.Tokens.Count == 0)
                return null;
            if (Guid.TryParseExact(result.Tokens[0].Value, "D", out Guid id))
                return id;
            result.AddError($"'{result.Tokens[0].Value}' is no id of a backup: write all of it, as prune tells it.");
            return null;
        },
    };

    public static Option<int?> Workers() => new("--workers")
    {
        Description = $"How many read, hash and compress at once, 1 to {MaxWorkers}. Default: one for each processor.",
        HelpName = "N",
        CustomParser = Parsers.OfNullable((string text, out int value, out string problem) =>
        {
            problem = $"'{text}' is no number of workers: write 1 to {MaxWorkers}.";
            return int.TryParse(text, out value) && value is >= 1 and <= MaxWorkers;
        }),
    };

    public static Option<long?> MaxMemory() => new("--max-memory")
    {
        Description = "Bound on the memory for buffers, from 16MiB. Default: 192MiB.",
        HelpName = "SIZE",
        CustomParser = Parsers.OfNullable((string text, out long value, out string problem) =>
        {
            if (!ByteSizeSyntax.TryParse(text, out value, out problem))
                return false;
            problem = $"'{text}' is too little memory: write 16MiB or more.";
            return value >= MinMemoryBytes;
        }),
    };
}
