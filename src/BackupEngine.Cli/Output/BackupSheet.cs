using System.Globalization;
using BackupEngine.Catalog;

namespace BackupEngine.Cli.Output;

/// <summary>One backup for people: a line for each thing that is known of it.</summary>
internal static class BackupSheet
{
    private const int NameWidth = 19;

    public static void Print(Backup backup)
    {
        foreach ((string name, string? value) in Lines(backup))
        {
            if (value is not null)
                Console.Out.WriteLine($"{name.PadRight(NameWidth)}{BackupText.Printable(value)}");
        }
    }

    private static IEnumerable<(string Name, string? Value)> Lines(Backup backup)
    {
        yield return ("id", backup.Id.ToString());
        yield return ("name", backup.Name);
        yield return ("description", backup.Description);
        yield return ("status", BackupText.Status(backup.Status));
        yield return ("fail reason", backup.FailReason);
        yield return ("type", BackupText.Type(backup));
        yield return ("parent", backup.ParentId?.ToString());
        yield return ("dependents", backup.HasDependentBackups switch { true => "yes", false => "none", null => null });
        yield return ("volume", backup.VolumeId);
        yield return ("volume size", Bytes(backup.SizeBytes));
        yield return ("snapshot", backup.SnapshotId);
        yield return ("created", BackupText.Time(backup.CreatedAt));
        yield return ("updated", backup.UpdatedAt is { } updated ? BackupText.Time(updated) : null);
        yield return ("data of", BackupText.Time(backup.DataTimestamp));
        yield return ("read", Bytes(backup.BytesRead));
        yield return ("changed", Bytes(backup.BytesChanged));
        yield return ("stored", $"{Bytes(backup.BytesStored)} in {backup.ObjectCount} {(backup.ObjectCount == 1 ? "object" : "objects")}");
        yield return ("duration", $"{ByteText.Duration(backup.DurationSeconds)} ({ByteText.Rate(backup.SizeBytes, backup.DurationSeconds)})");
        yield return ("chunk size", ByteText.Of(backup.ChunkSize));
        yield return ("hash", backup.Hash switch { Hashing.ChunkHash.Sha256 => "sha256", _ => "xxh128" });
        yield return ("compression", backup.Compression.ToString());
        yield return ("availability zone", backup.AvailabilityZone);
        foreach ((string key, string value) in backup.Metadata)
            yield return ($"metadata {BackupText.Printable(key)}", value);
        yield return ("container", backup.Container);
        yield return ("manifest", backup.ManifestKey);
        yield return ("manifest sha256", backup.ManifestSha256);
        yield return ("engine version", backup.EngineVersion);
    }

    private static string Bytes(long bytes) =>
        bytes < 1024 ? ByteText.Of(bytes) : string.Create(CultureInfo.InvariantCulture, $"{ByteText.Of(bytes)} ({bytes} bytes)");
}
