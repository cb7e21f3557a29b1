using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace BackupEngine.Service.Api;

/// <summary>What versions of the API there are: the first thing that clients ask, without a token.</summary>
internal static class VersionDocument
{
    private const string Updated = "2022-08-31T00:00:00Z";

    /// <summary>Answers <c>/</c> (null: all), <c>/v2/</c> or <c>/v3/</c>.</summary>
    public static Task WriteAsync(HttpContext http, int? major) => ApiJson.WriteAsync(http, major is null ? 300 : 200, writer =>
    {
        string address = ApiRequest.BaseOf(http.Request);
        writer.WriteStartObject();
        writer.WriteStartArray("versions");
        if (major is null or 2)
        {
            WriteVersion(writer, address, 2);
        }

        if (major is null or 3)
        {
            WriteVersion(writer, address, 3);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static void WriteVersion(Utf8JsonWriter writer, string address, int major)
    {
        writer.WriteStartObject();
        writer.WriteString("id", $"v{major}.0");
        writer.WriteString("status", major == 3 ? "CURRENT" : "DEPRECATED");
        writer.WriteString("version", major == 3 ? ApiVersion.Max.ToString() : "");
        writer.WriteString("min_version", major == 3 ? ApiVersion.Min.ToString() : "");
        writer.WriteString("updated", Updated);
        writer.WriteStartArray("links");
        writer.WriteStartObject();
        writer.WriteString("rel", "describedby");
        writer.WriteString("type", "text/html");
        writer.WriteString("href", "https://docs.openstack.org/");
        writer.WriteEndObject();
        writer.WriteStartObject();
        writer.WriteString("rel", "self");
        writer.WriteString("href", $"{address}/v{major}/");
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartArray("media-types");
        writer.WriteStartObject();
        writer.WriteString("base", "application/json");
        writer.WriteString("type", $"application/vnd.openstack.volume+json;version={major}");
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
