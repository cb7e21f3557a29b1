using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>The texts in JSON, which can escape what is no text or what not every database keeps.</summary>
internal static class JsonTexts
{
    /// <summary>All texts and names of properties.</summary>
    /// <exception cref="InvalidOperationException">One has half a surrogate pair.</exception>
    public static IEnumerable<string> Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Of),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property => Of(property.Value).Prepend(property.Name)),
        _ => [],
    };

    /// <summary>Whether some text has a NUL, which PostgreSQL does not take.</summary>
    /// <exception cref="InvalidOperationException">One has half a surrogate pair.</exception>
    public static bool HasNul(JsonElement element) => Of(element).Any(text => text.Contains('\0', StringComparison.Ordinal));
}
