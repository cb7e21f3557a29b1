using System.Text.Json;
using System.Text.RegularExpressions;
using BackupEngine.Service.Api;

namespace BackupEngine.Service.Backups;

/// <summary>What the bodies of requests about backups must be.</summary>
internal static partial class BackupBody
{
    private static readonly TextSchema Name = new();
    private static readonly TextSchema Description = new() { Printable = true };

    // Containers are recorded, not opened; yet a name that walks up a path or hides a control character is nobody's container.
    private static readonly TextSchema Container = new() { Printable = true, Pattern = ContainerForm() };

    private static readonly Dictionary<string, Schema> CreateFields = new()
    {
        ["volume_id"] = new UuidSchema(),
        ["name"] = Name,
        ["description"] = Description,
        ["container"] = Container,
        ["incremental"] = new BooleanSchema(),
        ["force"] = new BooleanSchema(),
        ["snapshot_id"] = new UuidSchema { AllowNull = true },
    };

    private static readonly Dictionary<string, Schema> UpdateFields = new() { ["name"] = Name, ["description"] = Description };
    private static readonly MetadataSchema Metadata = new();

    private static readonly ObjectSchema Create = Wrap("backup", new(CreateFields, "volume_id"));
    private static readonly ObjectSchema CreateWithMetadata = Wrap("backup", new(new Dictionary<string, Schema>(CreateFields) { ["metadata"] = Metadata }, "volume_id"));
    private static readonly ObjectSchema CreateWithZone = Wrap("backup", new(
        new Dictionary<string, Schema>(CreateFields) { ["metadata"] = Metadata, ["availability_zone"] = Name }, "volume_id"));

    private static readonly ObjectSchema Update = Wrap("backup", new(UpdateFields));
    private static readonly ObjectSchema UpdateWithMetadata = Wrap("backup", new(new Dictionary<string, Schema>(UpdateFields) { ["metadata"] = Metadata }));

    private static readonly ObjectSchema Restore = Wrap("restore", new(new Dictionary<string, Schema>
    {
        ["volume_id"] = new UuidSchema { AllowNull = true },
        ["name"] = Name,
    }));

    private static readonly ObjectSchema Import = Wrap("backup-record", new(
        new Dictionary<string, Schema>
        {
            ["backup_service"] = new TextSchema { AllowNull = false },
            ["backup_url"] = new TextSchema { AllowNull = false, MinLength = 1, MaxLength = int.MaxValue },
        },
        "backup_service",
        "backup_url"));

    public static JsonElement CheckCreate(JsonDocument? body, ApiVersion version) => Check(
        body, "backup", version >= ApiVersion.CreateInZone ? CreateWithZone : version >= ApiVersion.Metadata ? CreateWithMetadata : Create);

    public static JsonElement CheckUpdate(JsonDocument? body, ApiVersion version) =>
        Check(body, "backup", version >= ApiVersion.Metadata ? UpdateWithMetadata : Update);

    public static JsonElement CheckRestore(JsonDocument? body) => Check(body, "restore", Restore);

    public static JsonElement CheckImport(JsonDocument? body) => Check(body, "backup-record", Import);

    /// <summary>A text, without the spaces around it; null when it is absent or null.</summary>
    public static string? TextOf(JsonElement body, string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()!.Trim() : null;

    /// <summary>A UUID in the form that the catalog keeps.</summary>
    public static string? UuidOf(JsonElement body, string name) => TextOf(body, name) is { } text ? Guid.Parse(text).ToString() : null;

    public static bool FlagOf(JsonElement body, string name) => body.TryGetProperty(name, out JsonElement value) && BooleanSchema.Read(value);

    /// <summary>Names and values as the catalog keeps them.</summary>
    public static string MetadataOf(JsonElement body) =>
        body.TryGetProperty("metadata", out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value.GetRawText() : "{}";

    private static JsonElement Check(JsonDocument? body, string key, ObjectSchema schema)
    {
        if (body is null)
        {
            throw ApiFault.MalformedBody();
        }

        schema.Check(body.RootElement);
        return body.RootElement.GetProperty(key);
    }

    private static ObjectSchema Wrap(string key, ObjectSchema schema) => new(new Dictionary<string, Schema> { [key] = schema }, key);

    [GeneratedRegex(@"^(?!/)(?!(.*/)?\.\.?(/|$))[^\\]*$", RegexOptions.CultureInvariant)]
    private static partial Regex ContainerForm();
}
