using System.Text.Json;

namespace BackupEngine.Service.Api;

/// <summary>The texts in JSON, which can escape what is no text or what not every database keeps.</summary>
internal static class JsonTexts
{
    /// <summary>Reads all texts and names of properties, to the last: what can be read here can be read later.</summary>
    /// <returns>Whether one has a NUL, which PostgreSQL does not take.</returns>
    /// <exception cref="InvalidOperationException">One has half a surrogate pair.</exception>
    public static bool HaveNul(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => HasNul(element.GetString()!),
        JsonValueKind.Array => element.EnumerateArray().Aggregate(false, (found, item) => found | HaveNul(item)),
        JsonValueKind.Object => element.EnumerateObject().Aggregate(false, (found, property) => found | HasNul(property.Name) | HaveNul(property.Value)),
        _ => false,
    };

    private static bool HasNul(string text) => text.Contains('\0', StringComparison.Ordinal);
}
