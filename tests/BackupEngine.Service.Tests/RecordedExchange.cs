using System.Text.Json;
using System.Text.Json.Nodes;

namespace BackupEngine.Service.Tests;

/// <summary>A request to a real Cinder 21.3 and its answer.</summary>
public sealed record RecordedExchange(string Name, string Method, string Path, JsonObject RequestHeaders, JsonNode? RequestBody, int Status, JsonObject Headers, JsonNode? Body)
{
    public static IReadOnlyList<RecordedExchange> All { get; } = Read();

    private static List<RecordedExchange> Read()
    {
        JsonArray file = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(AppContext.BaseDirectory, "Recordings", "cinder-21.3.json")))!.AsArray();
        List<RecordedExchange> exchanges = [];
        foreach (JsonObject entry in file.OfType<JsonObject>().Where(entry => entry.ContainsKey("request")))
        {
            JsonNode request = entry["request"]!;
            JsonNode response = entry["response"]!;
            exchanges.Add(new(
                (string)entry["name"]!, (string)request["method"]!, (string)request["path"]!, request["headers"]!.AsObject(), request["body"],
                (int)response["status"]!, response["headers"]!.AsObject(), response["body"]));
        }

        return exchanges;
    }

    /// <summary>The request's body as it went over the wire: some recordings hold text that is no JSON object.</summary>
    public string? RequestText => RequestBody switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => (string)value!,
        _ => RequestBody.ToJsonString(),
    };
}
