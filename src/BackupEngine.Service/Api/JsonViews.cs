using System.Globalization;
using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>How the API writes what several of its resources have.</summary>
internal static class JsonViews
{
    public static void WriteTime(this Utf8JsonWriter writer, string name, DateTime? time)
    {
        if (time is { } value)
        {
            writer.WriteString(name, value.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteLinks(this Utf8JsonWriter writer, ApiRequest request, string path)
    {
        writer.WriteStartArray("links");
        WriteLink(writer, "self", request.Self(path));
        WriteLink(writer, "bookmark", request.Bookmark(path));
        writer.WriteEndArray();
    }

    public static void WriteNext(this Utf8JsonWriter writer, string name, string? next)
    {
        if (next is not null)
        {
            writer.WriteStartArray(name);
            WriteLink(writer, "next", next);
            writer.WriteEndArray();
        }
    }

    /// <summary>Writes names and values that are kept as JSON.</summary>
    public static void WriteMetadata(this Utf8JsonWriter writer, string json)
    {
        writer.WritePropertyName("metadata");
        using JsonDocument metadata = JsonDocument.Parse(json);
        metadata.WriteTo(writer);
    }

    private static void WriteLink(Utf8JsonWriter writer, string relation, string address)
    {
        writer.WriteStartObject();
        writer.WriteString("rel", relation);
        writer.WriteString("href", address);
        writer.WriteEndObject();
    }
}
