using System.Text.Json;
using System.Text.Json.Serialization;

namespace BackupEngine.Compression;

/// <summary>The written form of a <see cref="ChunkCompression"/> as a JSON string. Public so that source-generated JSON of other assemblies can use it.</summary>
public sealed class ChunkCompressionJsonConverter : JsonConverter<ChunkCompression>
{
    /// <inheritdoc/>
    public override ChunkCompression Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && ChunkCompression.TryParse(reader.GetString(), out ChunkCompression compression)
            ? compression
            : throw new JsonException("Not a compression: none, lz4, zstd or zstd:LEVEL is.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, ChunkCompression value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }
}
