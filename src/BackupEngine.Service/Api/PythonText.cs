using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>JSON values as Python prints them: the API's messages quote values that way, and clients' tests compare them.</summary>
internal static class PythonText
{
    /// <summary>As <c>str(value)</c>.</summary>
    public static string Str(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : Repr(value);

    /// <summary>As <c>repr(value)</c>.</summary>
    public static string Repr(JsonElement value)
    {
        StringBuilder text = new();
        Append(text, value);
        return text.ToString();
    }

    /// <summary>As <c>repr(text)</c>.</summary>
    public static string Repr(string text)
    {
        StringBuilder result = new();
        Append(result, text);
        return result.ToString();
    }

    private static void Append(StringBuilder text, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                string separator = "";
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    text.Append(separator);
                    Append(text, property.Name);
                    text.Append(": ");
                    Append(text, property.Value);
                    separator = ", ";
                }

                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                separator = "";
                foreach (JsonElement item in value.EnumerateArray())
                {
                    text.Append(separator);
                    Append(text, item);
                    separator = ", ";
                }

                text.Append(']');
                break;
            case JsonValueKind.String:
                Append(text, value.GetString()!);
                break;
            case JsonValueKind.True:
                text.Append("True");
                break;
            case JsonValueKind.False:
                text.Append("False");
                break;
            case JsonValueKind.Number:
                text.Append(value.GetRawText());
                break;
            default:
                text.Append("None");
                break;
        }
    }

    private static void Append(StringBuilder text, string value)
    {
        char quote = value.Contains('\'', StringComparison.Ordinal) && !value.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        text.Append(quote);
        foreach (Rune rune in value.EnumerateRunes())
        {
            if (rune.Value == quote || rune.Value == '\\')
            {
                text.Append('\\').Append((char)rune.Value);
            }
            else
            {
                Append(text, rune);
            }
        }

        text.Append(quote);
    }

    private static void Append(StringBuilder text, Rune rune)
    {
        switch (rune.Value)
        {
            case '\n':
                text.Append("\\n");
                break;
            case '\r':
                text.Append("\\r");
                break;
            case '\t':
                text.Append("\\t");
                break;
            case var _ when IsPrintable(rune):
                text.Append(rune.ToString());
                break;
            case < 0x100:
                text.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}");
                break;
            case < 0x10000:
                text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
                break;
        }
    }

    /// <summary>As <c>str.isprintable</c>: no control, format, surrogate, private or unassigned character, and no space but the plain one.</summary>
    public static bool IsPrintable(Rune rune) => rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
