using BackupEngine.Hashing;

namespace BackupEngine.Cli.CommandLine;

/// <summary>Hashes as they are written on the command line and in records.</summary>
internal static class HashSyntax
{
    private static readonly (ChunkHash Hash, string Name)[] _names =
    [
        (ChunkHash.Blake3, "blake3"), (ChunkHash.Blake3Bits256, "blake3-256"), (ChunkHash.XxHash128, "xxh128"), (ChunkHash.Sha256, "sha256"),
    ];

    public static string NameOf(ChunkHash hash) => Array.Find(_names, name => name.Hash == hash).Name ?? $"{(int)hash}";

    public static bool TryParse(string text, out ChunkHash value, out string problem)
    {
        problem = $"'{text}' is not a hash. Write blake3, blake3-256, sha256 or xxh128.";
        value = Array.Find(_names, name => name.Name == text).Hash;
        return value != default;
    }
}
