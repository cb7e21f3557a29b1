using System.Text.Json;

namespace BackupEngine.Service.Api;

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
