using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

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
