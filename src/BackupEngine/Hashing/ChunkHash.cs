using System.Text.Json.Serialization;

namespace BackupEngine.Hashing;

/// <summary>How chunks are recognized and checked. The numbers are part of the storage format.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChunkHash>))]
public enum ChunkHash
{
    /// <summary>XXH3 with 128 bits and a random seed for each chain: finds changes and damage, at memory speed. Not made to resist an attacker.</summary>
    [JsonStringEnumMemberName("xxh128")]
    XxHash128 = 1,

    /// <summary>SHA-256: for those who must rule out that somebody made two chunks of one hash.</summary>
    [JsonStringEnumMemberName("sha256")]
    Sha256 = 2,
}
