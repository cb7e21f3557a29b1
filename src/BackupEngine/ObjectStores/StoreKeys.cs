using System.Globalization;

namespace BackupEngine.ObjectStores;

/// <summary>The keys of everything that a container holds; docs/format.md "Keys".</summary>
internal static class StoreKeys
{
    public const string Repository = "backup-engine.json";
    public const string Records = "records/";
    public const string Intents = "intents/";
    public const string Volumes = "volumes/";

    private const string RecordSuffix = ".json";

    public static string RecordsOf(string volumeId) => $"{Records}{volumeId}/";

    public static string Record(string volumeId, Guid backupId) => $"{Records}{volumeId}/{backupId:D}{RecordSuffix}";

    public static string IntentsOf(string volumeId) => $"{Intents}{volumeId}/";

    public static string Intent(string volumeId, Guid backupId) => $"{Intents}{volumeId}/{backupId:D}{RecordSuffix}";

    public static string Manifest(string volumeId, Guid backupId) => $"{Volumes}{volumeId}/manifests/{backupId:D}";

    public static string PacksOf(string volumeId) => $"{Volumes}{volumeId}/packs/";

    public static string PacksOf(string volumeId, Guid backupId) => $"{Volumes}{volumeId}/packs/{backupId:D}/";

    public static string Pack(string volumeId, Guid backupId, uint sequence) =>
        string.Create(CultureInfo.InvariantCulture, $"{Volumes}{volumeId}/packs/{backupId:D}/{sequence:D8}");

    /// <summary>Takes the key of a record or an intent apart.</summary>
    public static bool TryParseRecord(string key, out string volumeId, out Guid backupId)
    {
        volumeId = "";
        backupId = default;
        string[] parts = key.Split('/');
        if (parts.Length != 3 || !parts[2].EndsWith(RecordSuffix, StringComparison.Ordinal))
            return false;
        volumeId = parts[1];
        return Guid.TryParseExact(parts[2].AsSpan(0, parts[2].Length - RecordSuffix.Length), "D", out backupId);
    }

    /// <summary>Takes the key of a manifest apart.</summary>
    public static bool TryParseManifest(string key, out string volumeId, out Guid backupId)
    {
        volumeId = "";
        backupId = default;
        string[] parts = key.Split('/');
        if (parts.Length != 4 || $"{parts[0]}/" != Volumes || parts[2] != "manifests" || !IsValidVolumeId(parts[1]))
            return false;
        volumeId = parts[1];
        return Guid.TryParseExact(parts[3], "D", out backupId);
    }

    /// <summary>Whether a text may be a volume's id: 1 to 128 of <c>[A-Za-z0-9._-]</c>, the first a letter or digit.</summary>
    public static bool IsValidVolumeId(string? volumeId) =>
        volumeId is { Length: >= 1 and <= 128 }
        && char.IsAsciiLetterOrDigit(volumeId[0])
        && volumeId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
