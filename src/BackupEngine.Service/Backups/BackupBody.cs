using System.Text.Json;
using System.Text.RegularExpressions;
using BackupEngine.Service.Api;

namespace BackupEngine.Service.Backups;

/// <summary>What the bodies of requests about backups must be.</summary>
internal static partial class BackupBody
{
    private static readonly TextSchema _name = new();
    private static readonly TextSchema _description = new() { Printable = true };

    // Containers are recorded, not opened; yet a name that walks up a path or hides a control character is nobody's container.
    private static readonly TextSchema _container = new() { Printable = true, Pattern = ContainerForm() };

    private static readonly Dictionary<string, Schema> _createFields = new()
    {
        ["volume_id"] = new UuidSchema(),
        ["name"] = _name,
        ["description"] = _description,
        ["container"] = _container,
        ["incremental"] = new BooleanSchema(),
        ["force"] = new BooleanSchema(),
        ["snapshot_id"] = new UuidSchema { AllowNull = true },
    };

    private static readonly Dictionary<string, Schema> _updateFields = new() { ["name"] = _name, ["description"] = _description };
    private static readonly MetadataSchema _metadata = new();

    private static readonly ObjectSchema _create = Wrap("backup", new(_createFields, "volume_id"));
    private static readonly ObjectSchema _createWithMetadata = Wrap("backup", new(new Dictionary<string, Schema>(_createFields) { ["metadata"] = _metadata }, "volume_id"));
    private static readonly ObjectSchema _createWithZone = Wrap("backup", new(
        new Dictionary<string, Schema>(_createFields) { ["metadata"] = _metadata, ["availability_zone"] = _name }, "volume_id"));

    private static readonly ObjectSchema _update = Wrap("backup", new(_updateFields));
    private static readonly ObjectSchema _updateWithMetadata = Wrap("backup", new(new Dictionary<string, Schema>(_updateFields) { ["metadata"] = _metadata }));

    private static readonly ObjectSchema _restore = Wrap("restore", new(new Dictionary<string, Schema>
    {
        ["volume_id"] = new UuidSchema { AllowNull = true },
        ["name"] = _name,
    }));

    private static readonly Dictionary<string, Schema> _recordFields = new()
    {
        ["display_name"] = _name,
        ["display_description"] = _name,
        ["container"] = _container,
        ["availability_zone"] = _name,
        ["encryption_key_id"] = _name,
    };

    private static readonly ObjectSchema _import = Wrap("backup-record", new(
        new Dictionary<string, Schema>
        {
            ["backup_service"] = new TextSchema { AllowNull = false },
            ["backup_url"] = new TextSchema { AllowNull = false, MinLength = 1, MaxLength = int.MaxValue },
        },
        "backup_service",
        "backup_url"));

    public static JsonElement CheckCreate(JsonDocument? body, ApiVersion version) => Check(
        body, "backup", version >= ApiVersion.CreateInZone ? _createWithZone : version >= ApiVersion.Metadata ? _createWithMetadata : _create);

    public static JsonElement CheckUpdate(JsonDocument? body, ApiVersion version) =>
        Check(body, "backup", version >= ApiVersion.Metadata ? _updateWithMetadata : _update);

    public static JsonElement CheckRestore(JsonDocument? body) => Check(body, "restore", _restore);

    public static JsonElement CheckImport(JsonDocument? body) => Check(body, "backup-record", _import);

    /// <summary>Refuses an imported record that says of its backup what no request may say.</summary>
    public static void CheckRecord(JsonElement record)
    {
        foreach ((string name, Schema schema) in _recordFields)
        {
            if (record.TryGetProperty(name, out JsonElement value))
            {
                schema.Check(value, name);
            }
        }
    }

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
