using System.Text.Json;
using BackupEngine.ObjectStores;

namespace BackupEngine.Catalog;

/// <summary>Records that a newer engine wrote. This engine cannot tell what they need, so it leaves them as they are and removes nothing beside them.</summary>
internal static class NewerRecord
{
    /// <summary>Marks a record that could be read as one of a newer engine.</summary>
    public static Backup Of(Backup backup) => backup with { IsUnreadable = true, IsNewer = true, FailReason = Describe(backup.RecordVersion) };

    /// <summary>Reads those members of a record that have the form that this engine knows.</summary>
    /// <param name="isIntact">Whether the record has a checksum, which was right.</param>
    /// <returns>The record; null when nothing says that a newer engine wrote it, so that it must count as damaged.</returns>
    public static Backup? TryRead(string key, ReadOnlySpan<byte> json, bool isIntact)
    {
        int? version = TryReadVersion(json);
        if (!StoreKeys.TryParseRecord(key, out string volumeId, out Guid backupId) || !(isIntact || version > RecordVersion.Current))
            return null;
        var stub = RecordStore.CreateStub(volumeId, backupId, BackupStatus.Error, null) with { RecordVersion = version ?? 1 };
        using JsonDocument? document = TryParse(json);
        if (document is null)
            return Of(stub);
        JsonElement record = document.RootElement;
        DateTimeOffset? created = ReadTime(record, "created_at");
        return Of(stub with
        {
            Name = ReadText(record, "name"),
            Description = ReadText(record, "description"),
            CreatedAt = created.GetValueOrDefault(),
            DataTimestamp = (ReadTime(record, "data_timestamp") ?? created).GetValueOrDefault(),
            UpdatedAt = ReadTime(record, "updated_at"),
            ParentId = Guid.TryParse(ReadText(record, "parent_id"), out Guid parent) ? parent : null,
            ManifestKey = ReadText(record, "manifest"),
            EngineVersion = ReadText(record, "engine_version"),
        });
    }

    /// <summary>Reads the version of a record, whatever the rest of it is.</summary>
    /// <param name="member">The member that is the record. Null when the document is the record.</param>
    public static int? TryReadVersion(ReadOnlySpan<byte> json, string? member = null)
    {
        using JsonDocument? document = TryParse(json);
        if (document is null)
            return null;
        JsonElement record = document.RootElement;
        if (member is not null && !record.TryGetProperty(member, out record))
            return null;
        return record.ValueKind == JsonValueKind.Object && record.TryGetProperty("record_version", out JsonElement version)
            && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out int number) ? number : null;
    }

    /// <summary>Creates the exception for an operation on such a record or intent.</summary>
    public static RepositoryException CreateException(string key, int version) => new($"{key}: {Describe(version)}");

    /// <summary>Throws when a record is one of a newer engine.</summary>
    /// <exception cref="RepositoryException">It is.</exception>
    public static void ThrowIf(Backup backup)
    {
        if (backup.IsNewer)
            throw CreateException(StoreKeys.Record(backup.VolumeId, backup.Id), backup.RecordVersion);
    }

    private static string Describe(int version) => version > RecordVersion.Current
        ? $"it was written by a newer engine (record version {version}; this engine reads version {RecordVersion.Current}). It is not damaged. Use a newer engine."
        : "it was written by a newer engine (it has values that this engine does not know). It is not damaged. Use a newer engine.";

    private static JsonDocument? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            JsonDocument document = JsonDocument.Parse(json.ToArray());
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? ReadText(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? ReadTime(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out DateTimeOffset time) ? time : null;
}
