using System.Text.Json.Serialization;

namespace BackupEngine.Hashing;

/// <summary>Specifies the hash by which chunks are compared and checked. The numbers are part of the storage format.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChunkHash>))]
public enum ChunkHash
{
    /// <summary>
    /// XXH3 with 128 bits and a random seed for each chain. It runs at memory speed, but it is not a cryptographic hash: data can be constructed whose changes it does not
    /// notice. Use it only for volumes whose content is trusted.
    /// </summary>
    [JsonStringEnumMemberName("xxh128")]
    XxHash128 = 1,

    /// <summary>SHA-256, with a digest of 32 bytes. Use it where a standard requires it.</summary>
    [JsonStringEnumMemberName("sha256")]
    Sha256 = 2,

    /// <summary>BLAKE3 with a random key for each chain, and a digest of 16 bytes. This is the default.</summary>
    [JsonStringEnumMemberName("blake3")]
    Blake3 = 3,

    /// <summary>BLAKE3 with a random key for each chain, and a digest of 32 bytes.</summary>
    [JsonStringEnumMemberName("blake3-256")]
    Blake3Bits256 = 4,
}
