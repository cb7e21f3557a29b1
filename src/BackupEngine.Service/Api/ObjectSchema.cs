using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>An object with known properties and no others.</summary>
internal sealed class ObjectSchema(IReadOnlyDictionary<string, Schema> properties, params string[] required) : Schema
{
    public bool AllowNull { get; init; }

    public override void Check(JsonElement value, string? field = null)
    {
        if (AllowNull && value.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'object'{(AllowNull ? ", 'null'" : "")}");
        }

        foreach (string name in required)
        {
            if (!value.TryGetProperty(name, out _))
            {
                Fail(value, field, $"{PythonText.Repr(name)} is a required property");
            }
        }

        string[] unexpected = [.. value.EnumerateObject().Select(property => property.Name).Where(name => !properties.ContainsKey(name))];
        if (unexpected.Length > 0)
        {
            Fail(value, field, $"Additional properties are not allowed ({string.Join(", ", unexpected.Select(PythonText.Repr))} {(unexpected.Length == 1 ? "was" : "were")} unexpected)");
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            properties[property.Name].Check(property.Value, property.Name);
        }
    }
}
