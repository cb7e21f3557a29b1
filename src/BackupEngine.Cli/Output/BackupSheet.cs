using System.Globalization;
using BackupEngine.Catalog;
using BackupEngine.Cli.CommandLine;

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
        yield return ("state reason", backup.StateReason switch
        {
            BackupStateReason.Rebuilt => "the record was lost or damaged, and a repair rebuilt it",
            BackupStateReason.Damaged => "a repair found it damaged",
            BackupStateReason.WriterFailed => "its writer failed",
            BackupStateReason.Adopted => $"backup {backup.AdoptedBy} uses its packs",
            BackupStateReason.Expired => "it was interrupted, and a prune removes it",
            _ => null,
        });
        yield return ("fail reason", backup.FailReason);
        yield return ("consistent", backup.IsConsistent switch { false => "no: the volume changed, or may have changed, while it was read", true => "yes", null => null });
        yield return ("type", BackupText.Type(backup));
        yield return ("parent", backup.ParentId?.ToString());
        yield return ("dependents", backup.HasDependentBackups switch { true => "yes", false => "none", null => null });
        yield return ("volume", backup.VolumeId);
        yield return ("volume size", Bytes(backup.SizeBytes));
        yield return ("snapshot", backup.SnapshotId);
        yield return ("created", BackupText.Time(backup.CreatedAt));
        yield return ("updated", backup.UpdatedAt is { } updated ? BackupText.Time(updated) : null);
        yield return ("data of", BackupText.Time(backup.DataTimestamp));
        yield return ("stored at", backup.StoredAt is { } stored ? BackupText.Time(stored) : null);
        yield return ("warning", backup.HasFutureTimestamp ? "created or data of is later than the store's clock was: it does not count; check the clock of the machine" : null);
        yield return ("read", Bytes(backup.BytesRead));
        yield return ("changed", Bytes(backup.BytesChanged));
        yield return ("stored", $"{Bytes(backup.BytesStored)} in {backup.ObjectCount} {(backup.ObjectCount == 1 ? "object" : "objects")}");
        yield return ("duration", $"{ByteText.Duration(backup.DurationSeconds)} ({ByteText.Rate(backup.SizeBytes, backup.DurationSeconds)})");
        yield return ("chunk size", ByteText.Of(backup.ChunkSize));
        yield return ("hash", HashSyntax.NameOf(backup.Hash));
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
