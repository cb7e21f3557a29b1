using System.Text.Json;
using System.Text.RegularExpressions;

namespace BackupEngine.Service.Api;

/// <summary>The caller's own names and values.</summary>
internal sealed partial class MetadataSchema : Schema
{
    private static readonly TextSchema _value = new() { AllowNull = false };

    public override void Check(JsonElement value, string? field = null)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'object', 'null'");
        }

        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (!Key().IsMatch(property.Name))
            {
                Fail(value, field, $"{PythonText.Repr(property.Name)} does not match any of the regexes: '^[a-zA-Z0-9-_:. /]{{1,255}}$'");
            }

            _value.Check(property.Value, property.Name);
        }
    }

    [GeneratedRegex(@"^[a-zA-Z0-9\-_:. /]{1,255}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}
