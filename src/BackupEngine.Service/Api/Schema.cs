using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BackupEngine.Service.Api;

/// <summary>What a value in a request body must be. The wording of the refusals is that of the API (JSON Schema as Python prints it).</summary>
internal abstract class Schema
{
    /// <summary>Refuses a value that does not fit.</summary>
    /// <param name="value">The value.</param>
    /// <param name="field">The name it stands under; null for the whole body.</param>
    /// <exception cref="ApiFault">400: what is wrong with the value.</exception>
    public abstract void Check(JsonElement value, string? field = null);

    [DoesNotReturn]
    protected static void Fail(JsonElement value, string? field, string why) =>
        throw ApiFault.BadRequest(field is null ? why : $"Invalid input for field/attribute {field}. Value: {PythonText.Str(value)}. {why}");
}

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

/// <summary>A text of bounded length.</summary>
internal sealed class TextSchema : Schema
{
    public int MinLength { get; init; }

    public int MaxLength { get; init; } = 255;

    public bool AllowNull { get; init; } = true;

    /// <summary>Whether characters that cannot be printed are refused.</summary>
    public bool Printable { get; init; }

    public Regex? Pattern { get; init; }

    public override void Check(JsonElement value, string? field = null)
    {
        if (AllowNull && value.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'string'{(AllowNull ? ", 'null'" : "")}");
        }

        string text = value.GetString()!;
        int length = text.EnumerateRunes().Count();
        if (length < MinLength)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is too short");
        }

        if (length > MaxLength)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is too long");
        }

        if (text.Contains('\0', StringComparison.Ordinal) || (Printable && !text.EnumerateRunes().All(IsPrintable)))
        {
            Fail(value, field, $"{PythonText.Repr(value)} does not match '^[[:print:]]*$'");
        }

        if (Pattern is not null && !Pattern.IsMatch(text))
        {
            Fail(value, field, $"{PythonText.Repr(value)} does not match '{Pattern}'");
        }
    }

    // The API's own notion of printable takes every kind of space.
    private static bool IsPrintable(Rune rune) => PythonText.IsPrintable(rune) || Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.SpaceSeparator;
}

/// <summary>A boolean, or one of the words that stand for one.</summary>
internal sealed class BooleanSchema : Schema
{
    private static readonly string[] TrueWords = ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t"];
    private static readonly string[] FalseWords = ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f"];

    private static readonly string AllWords =
        $"True, {string.Join(", ", TrueWords.Select(PythonText.Repr))}, False, {string.Join(", ", FalseWords.Select(PythonText.Repr))}";

    public static bool Read(JsonElement value) =>
        value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && TrueWords.Contains(value.GetString()));

    public override void Check(JsonElement value, string? field = null)
    {
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'boolean', 'string'");
        }

        string word = value.GetString()!;
        if (!TrueWords.Contains(word) && !FalseWords.Contains(word))
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not one of [{AllWords}]");
        }
    }
}

/// <summary>A UUID in any of its written forms.</summary>
internal sealed class UuidSchema : Schema
{
    public bool AllowNull { get; init; }

    public override void Check(JsonElement value, string? field = null)
    {
        if (AllowNull)
        {
            if (value.ValueKind != JsonValueKind.Null && (value.ValueKind != JsonValueKind.String || !Guid.TryParse(value.GetString(), out _)))
            {
                Fail(value, field, $"{PythonText.Repr(value)} is not valid under any of the given schemas");
            }

            return;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not of type 'string'");
        }

        if (!Guid.TryParse(value.GetString(), out _))
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not a 'uuid'");
        }
    }
}

/// <summary>The caller's own names and values.</summary>
internal sealed partial class MetadataSchema : Schema
{
    private static readonly TextSchema Value = new() { AllowNull = false };

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

            Value.Check(property.Value, property.Name);
        }
    }

    [GeneratedRegex(@"^[a-zA-Z0-9\-_:. /]{1,255}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}

/// <summary>An integer, also as text, from a lowest value up.</summary>
internal sealed class IntegerSchema(long minimum) : Schema
{
    public static long Read(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetInt64()
        : long.Parse(value.GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    public override void Check(JsonElement value, string? field = null)
    {
        bool isNumber = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetInt64(out _),
            JsonValueKind.String => long.TryParse(value.GetString(), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out _),
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
