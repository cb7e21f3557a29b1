using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>A boolean, or one of the words that stand for one.</summary>
internal sealed class BooleanSchema : Schema
{
    private static readonly string[] _trueWords = ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", "y", "t"];
    private static readonly string[] _falseWords = ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", "n", "f"];

    private static readonly string _allWords =
        $"True, {string.Join(", ", _trueWords.Select(PythonText.Repr))}, False, {string.Join(", ", _falseWords.Select(PythonText.Repr))}";

    public static bool Read(JsonElement value) =>
        value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && _trueWords.Contains(value.GetString()));

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
        if (!_trueWords.Contains(word) && !_falseWords.Contains(word))
        {
            Fail(value, field, $"{PythonText.Repr(value)} is not one of [{_allWords}]");
        }
    }
}
