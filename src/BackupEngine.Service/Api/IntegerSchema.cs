using System.Globalization;
using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>An integer, also as text, from a lowest value up.</summary>
internal sealed class IntegerSchema(long minimum) : Schema
{
    public static long Read(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetInt64()
        : long.Parse(value.GetString()!, CultureInfo.InvariantCulture);

    public override void Check(JsonElement value, string? field = null)
    {
        bool isNumber = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetInt64(out _),
            JsonValueKind.String => long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            _ => false,
        };
        if (!isNumber)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'integer', 'string'");
        }

        if (Read(value) < minimum)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is less than the minimum of {minimum}");
        }
    }
}
