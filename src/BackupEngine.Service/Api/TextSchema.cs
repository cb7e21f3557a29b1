using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BackupEngine.Service.Api;

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
    private static bool IsPrintable(Rune rune) => PythonText.IsPrintable(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator;
}
