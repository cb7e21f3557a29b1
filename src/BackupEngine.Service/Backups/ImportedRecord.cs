using System.Text.Json;

namespace BackupEngine.Service.Backups;

/// <summary>A record between the request that brought it and the job that takes it in.</summary>
/// <param name="Service">The driver that is said to be able to read it.</param>
/// <param name="Record">The record.</param>
internal sealed record ImportedRecord(string Service, JsonElement Record);
