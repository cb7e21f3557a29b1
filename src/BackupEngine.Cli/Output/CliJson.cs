using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;

namespace BackupEngine.Cli.Output;

/// <summary>The JSON documents that <c>--json</c> prints. A contract with scripts: fields may be added, but none renamed or removed.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Backup))]
[JsonSerializable(typeof(ExportedRecord))]
[JsonSerializable(typeof(RequestCounts))]
[JsonSerializable(typeof(RestoreDocument))]
[JsonSerializable(typeof(DeleteDocument))]
[JsonSerializable(typeof(VerifyDocument))]
[JsonSerializable(typeof(PruneDocument))]
[JsonSerializable(typeof(RepairDocument))]
[JsonSerializable(typeof(CheckStoreDocument))]
[JsonSerializable(typeof(DemoDocument))]
[JsonSerializable(typeof(ErrorDocument))]
internal sealed partial class CliJson : JsonSerializerContext
{
    // Names and base64 stay readable: the document goes to a terminal or a file, never into a web page.
    private static readonly JsonSerializerOptions _written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A backup's record, as a document that more fields may be added to.</summary>
    public static JsonObject Record(Backup backup)
    {
        JsonObject record = JsonSerializer.SerializeToNode(backup, Default.Backup)!.AsObject();
        record["has_future_timestamp"] = backup.HasFutureTimestamp;
        return record;
    }

    /// <summary>A backup's record with the requests that the command made.</summary>
    public static JsonObject Record(Backup backup, RequestCounts requests)
    {
        JsonObject record = Record(backup);
        record["requests"] = JsonSerializer.SerializeToNode(requests, Default.RequestCounts);
        return record;
    }

    /// <summary>Prints the one document of a command.</summary>
    public static void Print(JsonNode document) => Console.Out.WriteLine(document.ToJsonString(_written));

    /// <inheritdoc cref="Print(JsonNode)"/>
    public static void Print<T>(T document, JsonTypeInfo<T> type) => Print(JsonSerializer.SerializeToNode(document, type)!);
}
