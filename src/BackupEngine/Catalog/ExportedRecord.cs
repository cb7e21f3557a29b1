using System.Text.Json.Serialization;

namespace BackupEngine.Catalog;

/// <summary>A backup's record in the form that OpenStack's export and import carry.</summary>
/// <param name="BackupService">The driver that can read it; <see cref="ServiceName"/> for this engine.</param>
/// <param name="BackupUrl">The record's JSON in UTF-8 in standard base64.</param>
public sealed record ExportedRecord(
    [property: JsonPropertyName("backup_service")] string BackupService,
    [property: JsonPropertyName("backup_url")] string BackupUrl)
{
    /// <summary>What this engine calls itself in an exported record.</summary>
    public const string ServiceName = "cinder.backup.drivers.backup_engine";
}
